import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock } from '@steeple/daemon';
import { TrustDomain } from '@steeple/spiffe';
import { describe, expect, it } from 'vitest';
import { anAgent } from '../datastore/contract-samples.ts';
import type { JoinTokenStore } from '../datastore/join-token-store.ts';
import { IN_MEMORY } from '../datastore/sqlite/open.ts';
import { SqliteDatastore } from '../datastore/sqlite/sqlite-datastore.ts';
import { attest, ChannelPair } from './channel-for-tests.ts';
import { JoinTokenProver, JoinTokenVerifier, joinTokenProver } from './join-token.ts';
import { nodeAttestorContract } from './node-attestor.contract.ts';

const HOME = TrustDomain.parse('example.org');
const { signal } = new AbortController();

async function tokens(...list: string[]): Promise<JoinTokenStore> {
  const { joinTokens } = SqliteDatastore.open(IN_MEMORY, silentLogger);
  for (const token of list) await joinTokens.create({ token, expiresAt: 100 });
  return joinTokens;
}

const prover = (token: string) => new JoinTokenProver(async () => token);
const verifier = (store: JoinTokenStore, now = 50) => new JoinTokenVerifier(HOME, store, () => now);

describe('join_token', () => {
  nodeAttestorContract(async () => ({ prover: prover('t-1'), verifier: verifier(await tokens('t-1')) }));

  it('sends the bytes of the token and nothing else, and asks nothing', async () => {
    const pair = new ChannelPair();
    const node = await attest(prover('a.B_c-9'), verifier(await tokens('a.B_c-9')), pair);
    expect(pair.said.map(({ from, data }) => `${from}: ${Buffer.from(data).toString()}`)).toEqual(['agent: a.B_c-9']);
    expect(node.agentId.toString()).toBe('spiffe://example.org/spire/agent/join_token/a.B_c-9');
    expect(node).toMatchObject({ selectors: [], canReattest: false });
  });

  it('lets one of many agents with the same token in', async () => {
    const store = await tokens('t');
    const attempts = Array.from({ length: 10 }, () => attest(prover('t'), verifier(store)));
    const settled = await Promise.allSettled(attempts);
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('leaves a token that nobody was admitted with', async () => {
    const store = await tokens('t');
    const verify = () => verifier(store).verify(Buffer.from('t'), new ChannelPair().server, signal);
    await verify();
    const { admit, agentId } = await verify();
    await admit?.(anAgent('a', { id: agentId }));
    await expect(admit?.(anAgent('a', { id: agentId }))).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(verify()).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  it('refuses a used, an unknown and an expired token', async () => {
    const store = await tokens('t', 'late');
    await attest(prover('t'), verifier(store));
    const used = {
      code: 'invalid-argument',
      message: 'failed to attest: join token does not exist or has already been used',
    };
    await expect(attest(prover('t'), verifier(store))).rejects.toMatchObject(used);
    await expect(attest(prover('never'), verifier(store))).rejects.toMatchObject(used);
    const expired = { code: 'invalid-argument', message: 'join token expired' };
    await expect(attest(prover('late'), verifier(store, 100))).rejects.toMatchObject(expired);
    await expect(attest(prover('late'), verifier(store, 50))).rejects.toMatchObject(used);
  });

  it.each(['../admin', 'a/b', '.', '..', 'a b', 'ü', 'a\n', '\uFEFFt', 'x'.repeat(5000), '%2e'])(
    'refuses %j, which no agent ID can hold, even if such a token was stored',
    async (token) => {
      const store = await tokens(token);
      const verifying = verifier(store).verify(Buffer.from(token), new ChannelPair().server, signal);
      await expect(verifying).rejects.toMatchObject({ code: 'invalid-argument' });
    },
  );

  it.each(['\uFEFFt', 't\0', 'T', ' t'])('does not take %j for the token "t"', async (token) => {
    const store = await tokens('t');
    const verifying = verifier(store).verify(Buffer.from(token), new ChannelPair().server, signal);
    await expect(verifying).rejects.toMatchObject({ code: 'invalid-argument' });
    await attest(prover('t'), verifier(store));
  });

  it('never repeats a token in a message', async () => {
    const verifying = verifier(await tokens()).verify(Buffer.from('s3cret'), new ChannelPair().server, signal);
    await expect(verifying).rejects.not.toThrow('s3cret');
  });
});

describe('join_token configuration of the agent', () => {
  const create = (config: unknown) =>
    joinTokenProver.create(joinTokenProver.schema.parse(config), {
      logger: silentLogger,
      clock: systemClock,
      trustDomain: HOME,
    });

  it('takes a token, or a file that is read when needed', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'steeple-token-'));
    const file = join(directory, 'token');
    const fromFile = await create({ join_token_file: file });
    await expect(fromFile.prove(new ChannelPair().agent, signal)).rejects.toMatchObject({
      code: 'failed-precondition',
      message: `the join token file ${file} cannot be read`,
    });
    writeFileSync(file, ' t-1\r\n');
    await attest(fromFile, verifier(await tokens('t-1')));
    rmSync(directory, { recursive: true });
    await attest(await create({ join_token: 't-2' }), verifier(await tokens('t-2')));
  });

  it('says what to do without a token', async () => {
    const proving = (await create({})).prove(new ChannelPair().agent, signal);
    await expect(proving).rejects.toThrow('steeple token generate');
    expect(joinTokenProver.schema.safeParse({ join_token: 'a', join_token_file: 'b' }).success).toBe(false);
    expect(joinTokenProver.schema.safeParse({ token: 'a' }).success).toBe(false);
  });
});

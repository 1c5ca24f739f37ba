// Agents that must not get in: no trust to begin with, a server that is an impostor, another trust domain, tokens that are
// no longer good. Each agent has a folder of its own; the agent of the stack and its entry must not notice.
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateKey, localSigner, selfSignedCa, TrustDomain, toPem } from '@steeple/spiffe';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Stack } from '../stack/stack.ts';
import { expectNoStack, refusal, variant } from './refusal.ts';

let stack: Stack;
let before: string;
const stored = async () => (await stack.cli(['entry', 'list', '-o', 'json'])) + (await stack.agentList()).join();

/** The arguments of an agent like that of the stack, in another folder. */
async function newcomer(settings: Readonly<Record<string, unknown>>, token?: string): Promise<readonly string[]> {
  const dir = await mkdtemp(join(stack.dir, 'a-'));
  const own = { data_dir: dir, socket_path: join(dir, 'api.sock'), ...settings };
  const config = await variant(join(stack.dir, 'agent.json'), join(dir, 'agent.json'), 'agent', own);
  return ['agent', 'run', '--config', config, ...(token === undefined ? [] : ['--join-token', token])];
}

const socketOf = (args: readonly string[]) => join(args[3] ?? '', '..', 'api.sock');

/** An agent that cannot join but may hope: it says why, goes on trying, and stops when it is told to. */
async function hopeless(args: readonly string[], token: string): Promise<string> {
  const agent = stack.spawn('newcomer', args);
  try {
    await agent.line(/Could not attest.*/);
    expect(agent.running).toBe(true);
    expect(await agent.stop('SIGTERM')).toBe(0);
  } finally {
    await agent.stop('SIGKILL');
  }
  expect(existsSync(socketOf(args))).toBe(false);
  expect(agent.output).not.toContain(token);
  expectNoStack(agent.output);
  return agent.output;
}

/** Joins with a token that must still be good. */
async function joins(token: string): Promise<void> {
  const agent = stack.spawn('newcomer', await newcomer({}, token));
  try {
    await agent.line(/Agent started/);
  } finally {
    expect(await agent.stop()).toBe(0);
  }
  await stack.cli(['agent', 'evict', `spiffe://example.org/spire/agent/join_token/${token}`]);
}

beforeAll(async () => {
  stack = await Stack.start();
  await stack.createEntry({ id: 'spiffe://example.org/web', selectors: ['unix:uid:1'] });
  before = await stored();
}, 60_000);
afterAll(() => stack?.stop());

describe('an agent without a sound trust bundle', () => {
  it.each<[string, string | undefined, Readonly<Record<string, unknown>>, RegExp]>([
    ['is missing', undefined, {}, /missing\.pem: agent\.trust_bundle_path: the file cannot be read/],
    ['is garbage', 'no certificate\n', {}, /agent\.trust_bundle_path: .*pem: there is no certificate/],
    [
      'is damaged',
      '-----BEGIN CERTIFICATE-----\nMIIBAAAA\n-----END CERTIFICATE-----\n',
      {},
      /agent\.trust_bundle_path: no trust bundle in the format pem/,
    ],
    [
      'is no bundle document',
      '{"keys": 7}',
      { trust_bundle_format: 'spiffe' },
      /agent\.trust_bundle_path: no trust bundle in the format spiffe/,
    ],
  ])('stops at once when the file %s', async (_how, content, settings, message) => {
    const token = await stack.joinToken();
    const path = join(stack.dir, content === undefined ? 'missing.pem' : 'bad.pem');
    if (content !== undefined) await writeFile(path, content);
    const args = await newcomer({ trust_bundle_path: path, ...settings }, token);
    const said = await refusal(...args);
    expect(said).toMatch(message);
    expect(said).not.toContain(token);
    expect(existsSync(socketOf(args))).toBe(false);
  });

  it('is told when nothing says whom to trust', async () => {
    const said = await refusal(...(await newcomer({ trust_bundle_path: undefined }, await stack.joinToken())));
    expect(said).toMatch(/trust_bundle_path/);
  });
});

describe('an agent before a server that is not its own', () => {
  it('never shows its token to a server that the bundle does not vouch for', async () => {
    const token = await stack.joinToken();
    const now = Date.now() / 1000;
    const ca = await selfSignedCa(localSigner(generateKey('ec-p256')), {
      trustDomain: TrustDomain.parse('example.org'),
      subject: { organization: ['SPIRE'] },
      notBefore: now - 10,
      notAfter: now + 3600,
      serial: randomBytes(16),
    });
    const path = join(stack.dir, 'impostor.pem');
    await writeFile(path, toPem('CERTIFICATE', ca.raw));
    expect(await hopeless(await newcomer({ trust_bundle_path: path }, token), token)).toMatch(
      /Could not attest.*(trust|verif|authority|certificate)/i,
    );
    await joins(token);
    expect(await stored()).toBe(before);
  });

  it('never shows its token to a server of another trust domain', async () => {
    const token = await stack.joinToken();
    const said = await hopeless(await newcomer({ trust_domain: 'other.org' }, token), token);
    expect(said).toMatch(/Could not attest.*(other|example)\.org/);
    await joins(token);
    expect(await stored()).toBe(before);
  });

  it('goes on asking when nobody listens', async () => {
    const token = await stack.joinToken();
    await hopeless(await newcomer({ server_port: 1 }, token), token);
  });
});

describe('a join token', () => {
  it('works once: the second agent stops with what to do, and the first stays', async () => {
    const token = new URL(stack.agentId).pathname.split('/').at(-1) ?? '';
    const said = await refusal(...(await newcomer({}, token)));
    expect(said).toMatch(/refused to attest.*join token.*`steeple token generate`/s);
    expect(said).not.toContain(token);
    expect(stack.server.output).not.toContain(token);
    expect(await stored()).toBe(before);
  });

  it('does not work after its time', async () => {
    const { value } = await stack.json<{ value: string }>(['token', 'generate', '--ttl', '1s']);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const said = await refusal(...(await newcomer({}, value)));
    expect(said).toMatch(/refused to attest.*join token.*`steeple token generate`/s);
    expect(said + stack.server.output).not.toContain(value);
    expect(await stored()).toBe(before);
  });

  it('that was made up, or is none at all, opens nothing', async () => {
    for (const token of ['made-up', '../../spire/server', 'x'.repeat(5000)]) {
      const said = await refusal(...(await newcomer({}, token)));
      expect(said).toMatch(/join token|join_token/);
      expect(said + stack.server.output).not.toContain(token);
    }
    expect(await refusal(...(await newcomer({})))).toMatch(/join_token|--join-token|steeple token generate/);
    expect(await stored()).toBe(before);
  });
});

import { readFile } from 'node:fs/promises';
import { parseCertificate } from '@steeple/spiffe';
import { describe, expect, it } from 'vitest';
import { ChannelPair } from '../channel-for-tests.ts';
import type { VerifiedNode } from '../node-attestor.ts';
import { HOME } from './testing/test-node.ts';
import { TpmDevIdVerifier } from './verifier.ts';

// What was said when real TPM software attested: the same words convince again, and nothing near them does.
interface Run {
  readonly agentId: string;
  readonly selectors: readonly string[];
  readonly payload: Readonly<Record<string, string | readonly string[]>>;
  readonly response: Readonly<Record<string, string>>;
}
interface Runs {
  readonly at: number;
  readonly devIdCas: readonly string[];
  readonly endorsementCas: readonly string[];
  readonly rsa: Run;
  readonly ecc: Run;
}

const runs: Runs = JSON.parse(await readFile(new URL('testing/swtpm-runs.json', import.meta.url), 'utf8'));
const roots = (list: readonly string[]) => list.map((text) => parseCertificate(Buffer.from(text, 'base64')));

/** The server's random bytes are 1 1 1…, 2 2 2… as they were then, unless `first` is another. */
async function replay(payload: object, response: object, first = 1): Promise<VerifiedNode> {
  let next = first;
  const verifier = new TpmDevIdVerifier({
    trustDomain: HOME,
    trust: { devIdRoots: roots(runs.devIdCas), endorsementRoots: roots(runs.endorsementCas), now: () => runs.at },
    random: (bytes) => Buffer.alloc(bytes, next++),
  });
  const pair = new ChannelPair();
  await pair.agent.send(Buffer.from(JSON.stringify(response)));
  return await verifier.verify(Buffer.from(JSON.stringify(payload)), pair.server, new AbortController().signal);
}

describe.each(['rsa', 'ecc'] as const)('a run of swtpm with a DevID key of kind %s', (kind) => {
  const { payload, response, agentId, selectors } = runs[kind];

  it('convinces', async () => {
    const node = await replay(payload, response);
    expect(node.agentId.toString()).toBe(agentId);
    expect(node.selectors.map(({ value }) => value)).toEqual(selectors);
  });

  it('does not convince a server that asks something else', async () => {
    await expect(replay(payload, response, 2)).rejects.toMatchObject({ code: 'permission-denied' });
  });

  // Of these two some bits are held by the TPM's half only: it reveals the secret for no other name, and by no other key.
  const bound = Object.keys(payload).filter((name) => name !== 'EKPub' && name !== 'AKPub');
  it.each(bound)('does not convince with another bit in %s', async (name) => {
    const original = payload[name] ?? '';
    const bytes = Buffer.from(typeof original === 'string' ? original : (original[0] ?? ''), 'base64');
    for (let at = 0; at < bytes.length; at += 13) {
      const flipped = Buffer.from(bytes);
      flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << (at % 8)), at);
      const text = flipped.toString('base64');
      const altered = { ...payload, [name]: typeof original === 'string' ? text : [text] };
      const code = expect.stringMatching(/^(permission-denied|invalid-argument)$/);
      await expect(replay(altered, response), `byte ${at}`).rejects.toMatchObject({ name: 'IssuerError', code });
    }
  });

  it('does not convince with the parts of the other run', async () => {
    const other = runs[kind === 'rsa' ? 'ecc' : 'rsa'];
    for (const name of Object.keys(payload).filter((each) => payload[each] !== other.payload[each])) {
      const mixed = { ...payload, [name]: other.payload[name] };
      await expect(replay(mixed, response), name).rejects.toMatchObject({ name: 'IssuerError' });
    }
    await expect(replay(payload, other.response)).rejects.toMatchObject({ code: 'permission-denied' });
  });
});

// What strangers may have the server compute. Counted, not timed.
import { generateKeyPairSync } from 'node:crypto';
import { Certificate } from '@steeple/spiffe';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Issued, issue, issueCa, NOW } from './certificates-for-tests.ts';
import { formatPayload } from './messages.ts';
import { publicKeyInfrastructure } from './trust.ts';

afterEach(() => vi.restoreAllMocks());

/** How many signatures are checked until `leaf` is judged under these roots. */
function signaturesChecked(roots: readonly Issued[], leaf: Issued, intermediates: readonly Issued[]): number {
  const check = vi.spyOn(Certificate.prototype, 'isSignedBy');
  const trust = publicKeyInfrastructure(
    roots.map(({ certificate }) => certificate),
    () => NOW,
  );
  try {
    trust.judge(
      leaf.certificate,
      intermediates.map(({ certificate }) => certificate),
    );
  } catch (error) {
    expect(error).toMatchObject({ code: 'permission-denied' });
  }
  const { length } = check.mock.calls;
  check.mockRestore();
  return length;
}

describe('signatures checked for one payload', () => {
  const root = issueCa('root');
  const middle = issueCa('middle', { issuer: root });
  const leaf = issue({ issuer: middle });

  it('are a few for an honest one, however many other roots there are', () => {
    const roots = Array.from({ length: 100 }, (_, index) => issueCa(`root ${index}`));
    expect(signaturesChecked([...roots, root], leaf, [middle])).toBe(2);
  });

  it('are bounded for intermediates that sign each other in a circle', () => {
    const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    // One name and one key, so that each may be the issuer of each.
    const circle = Array.from({ length: 9 }, (_, index) => issueCa('same', { key, serial: [index + 1] }));
    const first = circle[0] ?? root;
    expect(signaturesChecked([root], issue({ issuer: first }), circle)).toBeLessThanOrEqual(64);
  });

  it('are bounded for roots of one name', () => {
    const roots = Array.from({ length: 100 }, () => issueCa('root'));
    expect(signaturesChecked(roots, leaf, [middle])).toBeLessThanOrEqual(64);
    // A good chain under one of them: the others are searched too, as SPIRE tells of every root that vouches.
    expect(signaturesChecked([...roots.slice(0, 20), root], leaf, [middle])).toBeLessThanOrEqual(100);
  });
});

it('counts certificates before it reads one, and reads no message of more than 256 KiB', async () => {
  const { X509popVerifier } = await import('./verifier.ts');
  const parse = vi.spyOn(Certificate, 'parse');
  const verifier = new X509popVerifier({ maxIntermediates: 4 } as never);
  const channel = { send: async () => undefined, receive: async () => new Uint8Array() };
  const verify = (count: number, size: number) =>
    verifier.verify(
      formatPayload(Array.from({ length: count }, () => new Uint8Array(size))),
      channel,
      new AbortController().signal,
    );
  await expect(verify(6, 10)).rejects.toThrow('more than 4 intermediate certificates');
  await expect(verify(5, 50_000)).rejects.toThrow('malformed attestation data');
  expect(parse).not.toHaveBeenCalled();
});

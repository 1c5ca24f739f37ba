import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { checkValue } from '@steeple/daemon/config';
import {
  type Certificate,
  generateKey,
  localSigner,
  makeCsr,
  pkcs8Of,
  selfSignedCa,
  spkiOf,
  TrustDomain,
  toPem,
  X509Issuer,
} from '@steeple/spiffe';
import { FakeClock, MemoryLogger, type TempDir, tempDir } from '@steeple/test-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { diskUpstream } from './disk.ts';
import { upstreamAuthorityContract } from './upstream-authority.contract.ts';

const trustDomain = TrustDomain.parse('example.org');
const DAY = 86_400;
let dir: TempDir;
let clock: FakeClock;
let logger: MemoryLogger;

beforeEach(async () => {
  dir = await tempDir();
  clock = new FakeClock();
  logger = new MemoryLogger();
});
afterEach(() => dir[Symbol.asyncDispose]());

const rootCa = async (life = 10 * DAY) => {
  const key = generateKey('ec-p256');
  const certificate = await selfSignedCa(localSigner(key), {
    trustDomain,
    subject: { organization: ['root'], serialNumber: randomBytes(4).toString('hex') },
    notBefore: clock.now() - 60,
    notAfter: clock.now() + life,
    serial: randomBytes(16),
  });
  return { key, certificate };
};
const intermediateCa = async (root: Awaited<ReturnType<typeof rootCa>>) => {
  const key = generateKey('ec-p256');
  const certificate = await new X509Issuer(localSigner(root.key), root.certificate).issueCa({
    id: trustDomain,
    spki: spkiOf(localSigner(key).publicKey),
    subject: { organization: ['intermediate'] },
    notBefore: clock.now() - 60,
    notAfter: clock.now() + DAY,
    serial: randomBytes(16),
  });
  return { key, certificate };
};
type Ca = Awaited<ReturnType<typeof rootCa>>;

const pem = (...certificates: Certificate[]) => certificates.map(({ raw }) => toPem('CERTIFICATE', raw)).join('');
const write = async (ca: Ca, chain: Certificate[] = [ca.certificate], bundle?: Certificate[]) => {
  await writeFile(dir.join('key.pem'), toPem('PRIVATE KEY', pkcs8Of(ca.key)));
  await writeFile(dir.join('cert.pem'), pem(...chain));
  if (bundle) await writeFile(dir.join('bundle.pem'), pem(...bundle));
};
const open = (withBundle = false) =>
  diskUpstream.create(
    checkValue(diskUpstream.schema, {
      cert_file_path: dir.join('cert.pem'),
      key_file_path: dir.join('key.pem'),
      ...(withBundle && { bundle_file_path: dir.join('bundle.pem') }),
    }),
    { clock, logger, trustDomain },
  );
const request = () => makeCsr(localSigner(generateKey('ec-p256')), { uri: trustDomain.id });
const never = new AbortController().signal;

describe('disk', () => {
  for (const kind of ['a root', 'an intermediate'] as const) {
    describe(`with ${kind}`, () => {
      upstreamAuthorityContract(async () => {
        const root = await rootCa();
        const ca = kind === 'a root' ? root : await intermediateCa(root);
        await write(ca, [ca.certificate], [root.certificate]);
        return { upstream: await open(true), trustDomain, now: clock.now(), publishes: false };
      });
    });
  }

  it('gives no CA a longer life than its own, and no root in the chain', async () => {
    const root = await rootCa(500);
    await write(root);
    const { chain, roots } = await (await open()).mintX509Ca(await request(), DAY, never);
    expect(chain.map(({ notAfter }) => notAfter)).toEqual([root.certificate.notAfter]);
    expect(roots.map(({ certificate }) => certificate.equals(root.certificate))).toEqual([true]);
  });

  it.each([
    [
      'another key',
      async () => write({ ...(await rootCa()), key: generateKey('ec-p256') }),
      'private key do not match',
    ],
    ['no key', () => writeFile(dir.join('key.pem'), 'x'), 'unable to load upstream CA key: no private key'],
    ['no certificate', () => writeFile(dir.join('cert.pem'), ''), 'unable to load upstream CA cert: no certificate'],
    ['an expired CA', async () => write(await rootCa(-1)), 'cannot be validated'],
  ])('refuses %s', async (_what, spoil, words) => {
    await write(await rootCa());
    await spoil();
    await expect(open()).rejects.toThrow(words);
  });

  it('refuses an intermediate without bundle, and one under another root, with the words of SPIRE', async () => {
    const root = await rootCa();
    const ca = await intermediateCa(root);
    await write(ca, [ca.certificate, root.certificate]);
    await expect(open()).rejects.toThrow('with no bundle_file_path configured only self-signed CAs are supported');
    await write(ca);
    await expect(open()).rejects.toThrow('cannot be validated with the provided bundle or is not self-signed');
    await write(ca, [ca.certificate], [(await rootCa()).certificate]);
    await expect(open(true)).rejects.toThrow('cannot be validated with the provided bundle or is not self-signed');
  });

  it('never quotes the key', async () => {
    await write(await rootCa());
    await writeFile(dir.join('key.pem'), '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n');
    const error = await open().catch((e: unknown) => e);
    expect(String(error)).not.toContain('c2VjcmV0');
  });

  it('names a setting that is missing or empty', () => {
    for (const data of [{}, { cert_file_path: '', key_file_path: 'k' }, { cert_file_path: 'c' }]) {
      expect(() => checkValue(diskUpstream.schema, data)).toThrow();
    }
  });

  it('takes up new files at the next use, and keeps the old ones while the new are broken', async () => {
    const [first, second] = [await rootCa(), await rootCa()];
    await write(first);
    const upstream = await open();
    await writeFile(dir.join('cert.pem'), pem(second.certificate));
    const kept = await upstream.mintX509Ca(await request(), DAY, never);
    expect(kept.chain[0]?.isSignedBy(first.certificate)).toBe(true);
    await upstream.mintX509Ca(await request(), DAY, never);
    expect(logger.records.filter(({ level }) => level === 'error')).toHaveLength(1);
    await write(second);
    const { chain, roots } = await upstream.mintX509Ca(await request(), DAY, never);
    expect(chain[0]?.isSignedBy(second.certificate)).toBe(true);
    expect(roots[0]?.certificate.equals(second.certificate)).toBe(true);
  });

  it('tells of other roots when the files change, and of nothing else', async () => {
    const [first, second] = [await rootCa(), await rootCa()];
    await write(first, [first.certificate], [first.certificate]);
    const upstream = await open(true);
    const abort = new AbortController();
    const counts: number[] = [];
    const watching = (async () => {
      for await (const { x509 } of upstream.watch(abort.signal)) counts.push(x509.length);
    })();
    while (counts.length < 1) await clock.advance(5);
    await clock.advance(30);
    await write(first, [first.certificate], [first.certificate, second.certificate]);
    while (counts.length < 2) await clock.advance(5);
    abort.abort();
    await watching;
    expect(counts).toEqual([1, 2]);
  });
});

import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Certificate, TrustDomain, toPem } from '@steeple/spiffe';
import { afterAll, describe, expect, it } from 'vitest';
import { AgentPathTemplate } from './agent-path-template.ts';
import { attest, ChannelPair } from './channel-for-tests.ts';
import { nodeAttestorContract } from './node-attestor.contract.ts';
import type { NodeProver } from './node-attestor.ts';
import { PATH_FIELDS } from './x509pop/certificate-facts.ts';
import { type Issued, issue, issueCa, NOW } from './x509pop/certificates-for-tests.ts';
import { keyPairFromFiles } from './x509pop/key-pair.ts';
import { X509popProver } from './x509pop/prover.ts';
import { publicKeyInfrastructure } from './x509pop/trust.ts';
import { X509popVerifier, type X509popVerifierOptions } from './x509pop/verifier.ts';

const HOME = TrustDomain.parse('example.org');
const directory = mkdtempSync(join(tmpdir(), 'steeple-x509pop-'));
afterAll(() => rmSync(directory, { recursive: true }));
let count = 0;

const root = issueCa('root');
const middle = issueCa('middle', { issuer: root });
const ecLeaf = issue({ issuer: middle });
const rsaKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;

function pem(...certificates: Certificate[]): string {
  return certificates.map(({ raw }) => toPem('CERTIFICATE', raw)).join('');
}

function prover(leaf: Issued, ...intermediates: Issued[]): NodeProver {
  const base = join(directory, String(++count));
  writeFileSync(`${base}.crt`, pem(leaf.certificate));
  writeFileSync(`${base}.key`, leaf.key.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(`${base}.chain`, pem(...intermediates.map(({ certificate }) => certificate)));
  const files = {
    certificatePath: `${base}.crt`,
    privateKeyPath: `${base}.key`,
    intermediatesPath: intermediates.length > 0 ? `${base}.chain` : undefined,
  };
  return new X509popProver(() => keyPairFromFiles(files));
}

function verifier(options: Partial<X509popVerifierOptions> = {}, roots: Issued[] = [root]): X509popVerifier {
  const trust = publicKeyInfrastructure(
    roots.map(({ certificate }) => certificate),
    () => NOW,
  );
  return new X509popVerifier({
    trustDomain: HOME,
    trust,
    agentPath: new AgentPathTemplate('{{ .PluginName }}/{{ .Fingerprint }}', PATH_FIELDS),
    maxIntermediates: 4,
    maxRsaKeySize: 8192,
    verifyClientIp: false,
    random: randomBytes,
    ...options,
  });
}

const refused = (part: string) => ({ code: 'permission-denied', message: expect.stringContaining(part) });
const verificationFailed = refused('certificate verification failed');

describe('x509pop', () => {
  nodeAttestorContract(async () => ({ prover: prover(ecLeaf, middle), verifier: verifier() }));

  it.each([
    ['P-256', () => ecLeaf],
    ['P-384', () => issue({ issuer: middle, key: generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey })],
    ['P-521', () => issue({ issuer: middle, key: generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey })],
    ['RSA', () => issue({ issuer: middle, key: rsaKey })],
  ])('proves possession of a %s key', async (_name, leaf) => {
    const node = await attest(prover(leaf(), middle), verifier());
    expect(node.canReattest).toBe(true);
  });

  it('names the agent by the fingerprint and tells what the certificates say', async () => {
    const leaf = issue({
      issuer: middle,
      commonName: 'node-1',
      serial: [0x0a, 0xbc],
      uris: [
        'x509pop://example.org/rack/r1',
        'x509pop://example.org/zone/a/b',
        'x509pop://other.test/rack/x',
        'x509pop://example.org/empty/',
        'x509pop://example.org/row/r%20%2F1/?q#f',
        'x509pop://example.org/bad/%ff',
        'x509pop://example.org/line/a%0ab',
        'x509pop://example.org/alone',
        'spiffe://example.org/x',
      ],
    });
    const sha1 = ({ certificate }: Issued) => fingerprint(certificate);
    const node = await attest(prover(leaf, middle), verifier());
    expect(node.agentId.toString()).toBe(`spiffe://example.org/spire/agent/x509pop/${sha1(leaf)}`);
    expect(node.selectors.map(({ value }) => value)).toEqual([
      'subject:cn:node-1',
      `ca:fingerprint:${sha1(middle)}`,
      `ca:fingerprint:${sha1(root)}`,
      'serialnumber:0abc',
      'san:rack:r1',
      'san:zone:a/b',
      'san:row:r /1',
    ]);
  });

  it('tells of every root that vouches for the node', async () => {
    const otherRoot = issueCa('other root');
    const crossSigned = issueCa('middle', { issuer: otherRoot, key: middle.key });
    const node = await attest(prover(ecLeaf, middle, crossSigned), verifier({}, [root, otherRoot]));
    const authorities = node.selectors
      .filter(({ value }) => value.startsWith('ca:'))
      .map(({ value }) => value.slice(15));
    const expected = [middle, root, crossSigned, otherRoot].map(({ certificate }) => fingerprint(certificate));
    expect(authorities.toSorted()).toEqual(expected.toSorted());
  });

  it('believes a certificate that is configured itself, while it is valid', async () => {
    const alone = issue({ commonName: 'alone' });
    const node = await attest(prover(alone), verifier({}, [root, alone]));
    expect(node.selectors.map(({ value }) => value)).toEqual(['subject:cn:alone', 'serialnumber:01']);
    const old = issue({ notAfter: NOW - 1 });
    await expect(attest(prover(old), verifier({}, [old]))).rejects.toMatchObject(verificationFailed);
    // Nobody else becomes trusted by it.
    const below = attest(prover(issue({ issuer: alone }), alone), verifier({}, [alone]));
    await expect(below).rejects.toMatchObject(verificationFailed);
  });

  it('speaks the messages of SPIRE, byte for byte', async () => {
    const nonce = Buffer.alloc(32, 0xfb);
    const pair = new ChannelPair();
    await attest(prover(ecLeaf, middle), verifier({ random: () => nonce }), pair);
    const [payload, challenge, response] = pair.said.map(({ data }) => Buffer.from(data).toString());
    const b64 = ({ certificate }: Issued) => Buffer.from(certificate.raw).toString('base64');
    expect(payload).toBe(`{"certificates":["${b64(ecLeaf)}","${b64(middle)}"]}`);
    expect(challenge).toBe(`{"rsa_signature":null,"ecdsa_signature":{"nonce":"${nonce.toString('base64')}"}}`);
    const base64 = '[A-Za-z0-9+/]+={0,2}';
    expect(response).toMatch(
      new RegExp(`^{"rsa_signature":null,"ecdsa_signature":{"nonce":"${base64}","r":"${base64}","s":"${base64}"}}$`),
    );
    const rsaPair = new ChannelPair();
    await attest(prover(issue({ issuer: middle, key: rsaKey }), middle), verifier({ random: () => nonce }), rsaPair);
    const [, rsaChallenge, rsaResponse] = rsaPair.said.map(({ data }) => Buffer.from(data).toString());
    expect(rsaChallenge).toBe(`{"rsa_signature":{"nonce":"${nonce.toString('base64')}"},"ecdsa_signature":null}`);
    expect(rsaResponse).toMatch(
      new RegExp(`^{"rsa_signature":{"nonce":"${base64}","signature":"${base64}"},"ecdsa_signature":null}$`),
    );
  });
});

describe('x509pop refuses', () => {
  const cases: readonly [string, () => Issued[]][] = [
    ['a certificate of a stranger', () => [issue({ issuer: issueCa('root') })]],
    ['a missing intermediate', () => [ecLeaf]],
    ['an expired leaf', () => [issue({ issuer: middle, notAfter: NOW - 1 }), middle]],
    ['a leaf of the future', () => [issue({ issuer: middle, notBefore: NOW + 1 }), middle]],
    [
      'an expired intermediate',
      () => {
        const old = issueCa('old', { issuer: root, notAfter: NOW - 1 });
        return [issue({ issuer: old }), old];
      },
    ],
    ['a leaf that signs leaves', () => [issue({ issuer: ecLeaf }), ecLeaf, middle]],
    [
      'a CA that may not sign certificates',
      () => {
        const mute = issueCa('mute', { issuer: root, keyUsage: [7, 0x80] });
        return [issue({ issuer: mute }), mute];
      },
    ],
    [
      'a path that is longer than allowed',
      () => {
        const short = issueCa('short', { issuer: root, pathLength: 0 });
        const below = issueCa('below', { issuer: short });
        return [issue({ issuer: below }), below, short];
      },
    ],
    ['a leaf not meant for signatures', () => [issue({ issuer: middle, keyUsage: [5, 0x20] }), middle]],
    ['a leaf without key usage', () => [issue({ issuer: middle, keyUsage: null }), middle]],
  ];
  it.each(cases)('%s', async (_name, certificates) => {
    const [leaf, ...intermediates] = certificates();
    if (leaf === undefined) throw new Error('no leaf');
    await expect(attest(prover(leaf, ...intermediates), verifier())).rejects.toMatchObject(verificationFailed);
  });

  it('too many intermediates and too large keys', async () => {
    const many = attest(prover(ecLeaf, middle, root), verifier({ maxIntermediates: 1 }));
    await expect(many).rejects.toMatchObject({ code: 'invalid-argument' });
    const large = attest(prover(issue({ issuer: middle, key: rsaKey }), middle), verifier({ maxRsaKeySize: 2047 }));
    await expect(large).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  it('an answer signed with another key, to another nonce, or altered', async () => {
    const thief: Issued = { ...ecLeaf, key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey };
    const stolen = async (key: Issued, mangle: (nonce: Buffer) => Buffer) => {
      const pair = new ChannelPair();
      const payload = JSON.stringify({
        certificates: [ecLeaf, middle].map(({ certificate }) => Buffer.from(certificate.raw).toString('base64')),
      });
      const verifying = verifier().verify(Buffer.from(payload), pair.server, new AbortController().signal);
      verifying.catch(() => undefined);
      const challenge = JSON.parse(Buffer.from(await pair.agent.receive()).toString());
      const nonce = mangle(Buffer.from(challenge.ecdsa_signature.nonce, 'base64'));
      const own = randomBytes(32);
      const signature = sign('sha256', Buffer.concat([nonce, own]), { key: key.key, dsaEncoding: 'ieee-p1363' });
      const answer = { nonce: own, r: signature.subarray(0, 32), s: signature.subarray(32) };
      const body = Object.fromEntries(Object.entries(answer).map(([name, b]) => [name, b.toString('base64')]));
      await pair.agent.send(Buffer.from(JSON.stringify({ rsa_signature: null, ecdsa_signature: body })));
      return await verifying;
    };
    const unproven = refused('challenge response verification failed');
    await expect(stolen(thief, (nonce) => nonce)).rejects.toMatchObject(unproven);
    await expect(stolen(ecLeaf, () => randomBytes(32))).rejects.toMatchObject(unproven);
    expect((await stolen(ecLeaf, (nonce) => nonce)).canReattest).toBe(true);
  });

  it.each([
    ['not JSON', 'x'],
    ['null', 'null'],
    ['neither proof', '{"rsa_signature":null,"ecdsa_signature":null}'],
    ['the other proof', '{"rsa_signature":{"nonce":"","signature":""},"ecdsa_signature":null}'],
    ['an empty proof', '{"ecdsa_signature":{}}'],
    ['a short nonce', '{"ecdsa_signature":{"nonce":"AAAA","r":"AQ==","s":"AQ=="}}'],
    ['numbers', '{"ecdsa_signature":{"nonce":1,"r":2,"s":3}}'],
  ])('%s as an answer', async (_name, text) => {
    const pair = new ChannelPair({ tamper: (data, index) => (index === 2 ? Buffer.from(text) : data) });
    await expect(attest(prover(ecLeaf, middle), verifier(), pair)).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  it('an agent at an address the certificate does not name, if asked to look', async () => {
    const leaf = issue({
      issuer: middle,
      ips: [
        [192, 0, 2, 1],
        [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
      ],
    });
    const from = (peerAddress?: string) =>
      attest(
        prover(leaf, middle),
        verifier({ verifyClientIp: true }),
        new ChannelPair(peerAddress === undefined ? {} : { peerAddress }),
      );
    for (const address of ['192.0.2.1', '::ffff:192.0.2.1', '2001:db8::1', '2001:DB8:0::0001']) {
      expect((await from(address)).canReattest, address).toBe(true);
    }
    for (const address of ['192.0.2.2', '2001:db8::2', '', 'localhost', undefined]) {
      await expect(from(address), address).rejects.toMatchObject(refused('address'));
    }
  });
});

function fingerprint(certificate: Certificate): string {
  return createHash('sha1').update(certificate.raw).digest('hex');
}

import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { silentLogger, systemClock } from '@steeple/daemon';
import { BundleSet, toPem } from '@steeple/spiffe';
import { type TempDir, tempDir } from '@steeple/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NodeVerifierHost } from '../plugin.ts';
import { attest, ChannelPair } from './channel-for-tests.ts';
import { nodeAttestorContract } from './node-attestor.contract.ts';
import {
  authority,
  certifyDevId,
  devIdCa,
  HOME,
  type Kind,
  NOW,
  startNode,
  type TestNode,
  vendor,
  verifierOf,
} from './tpm-devid/testing/test-node.ts';
import { tpmDevIdProver, tpmDevIdVerifier } from './tpm-devid.ts';

let dir: TempDir;
let node: TestNode;
beforeAll(async () => {
  dir = await tempDir();
  node = await startNode(dir.path);
});
afterAll(async () => {
  await node[Symbol.asyncDispose]();
  await dir[Symbol.asyncDispose]();
});

const sha1 = (der: Uint8Array) => createHash('sha1').update(der).digest('hex');
const MINIMAL = { devid_cert_path: 'c', devid_priv_path: 'r', devid_pub_path: 'u' };
const host: NodeVerifierHost = {
  logger: silentLogger,
  clock: { ...systemClock, now: () => NOW },
  trustDomain: HOME,
  bundles: new BundleSet(),
} as Partial<NodeVerifierHost> as NodeVerifierHost;

describe('tpm_devid', () => {
  nodeAttestorContract(async () => ({ prover: node.prover, verifier: verifierOf() }));

  it.each<[Kind, Kind]>([
    ['rsa', 'rsa'],
    ['rsa', 'ecc'],
    ['ecc', 'ecc'],
  ])('attests a DevID key of kind %s by an endorsement key of kind %s', async (devId, endorsement) => {
    await using other = await startNode(dir.path, { devId, endorsement });
    expect((await attest(other.prover, verifierOf())).canReattest).toBe(true);
    expect(other.tpm.residents).toBe(0);
  });

  it('names the agent by the fingerprint and tells who issued the DevID', async () => {
    const { agentId, selectors } = await attest(node.prover, verifierOf());
    expect(agentId.toString()).toBe(`spiffe://example.org/spire/agent/tpm_devid/${sha1(node.certificate)}`);
    expect(selectors).toEqual(
      ['subject:cn:node-1', 'issuer:cn:devid-ca', `ca:fingerprint:${sha1(devIdCa.der)}`].map((value) => ({
        type: 'tpm_devid',
        value,
      })),
    );
  });

  it('tells of intermediates and of every root that vouches', async () => {
    const roots = [authority('root 1'), authority('root 2')];
    const [middle, crossed] = roots.map((issuer) =>
      authority('middle', { issuer, privateKey: devIdCa.privateKey }),
    ) as [typeof devIdCa, typeof devIdCa];
    await using other = await startNode(dir.path);
    const leaf = certifyDevId(other.devId, { issuer: middle });
    await writeFile(
      other.files.certificatePath,
      [leaf, middle.der, crossed.der].map((each) => toPem('CERTIFICATE', each)).join(''),
    );
    const { selectors } = await attest(other.prover, verifierOf(roots));
    const expected = [middle, crossed, ...roots].map((each) => `ca:fingerprint:${sha1(each.der)}`);
    const values = selectors.map(({ value }) => value);
    expect(values.filter((value) => value.startsWith('ca:')).toSorted()).toEqual(expected.toSorted());
    expect(values).toContain('issuer:cn:middle');
  });

  it('speaks the messages of SPIRE', async () => {
    const pair = new ChannelPair();
    await attest(node.prover, verifierOf(), pair);
    const [payload, challenge, response] = pair.said.map(({ data }) => JSON.parse(Buffer.from(data).toString()));
    expect(Object.keys(payload)).toEqual([
      'DevIDCert',
      'DevIDPub',
      'EKCert',
      'EKPub',
      'AKPub',
      'CertifiedDevID',
      'CertificationSignature',
    ]);
    const bytes = (text: string) => Buffer.from(text, 'base64');
    expect(bytes(payload.DevIDCert[0])).toEqual(Buffer.from(node.certificate));
    // Without the size that tools put in front: the structures begin with the key's type, or with TPM_GENERATED_VALUE.
    expect(bytes(payload.DevIDPub).readUInt16BE(0)).toBe(0x23);
    expect(bytes(payload.EKPub).readUInt16BE(0)).toBe(1);
    expect(bytes(payload.AKPub).readUInt16BE(0)).toBe(1);
    expect(bytes(payload.CertifiedDevID).readUInt32BE(0)).toBe(0xff544347);
    expect(bytes(payload.CertificationSignature).readUInt32BE(0)).toBe(0x0014000b);
    expect(Object.keys(challenge)).toEqual(['DevID', 'CredActivation']);
    expect(Object.keys(challenge.CredActivation)).toEqual(['Credential', 'Secret']);
    expect(bytes(challenge.DevID)).toHaveLength(32);
    expect(bytes(challenge.CredActivation.Credential).readUInt16BE(0)).toBe(32);
    expect(bytes(challenge.CredActivation.Secret)).toHaveLength(256);
    expect(Object.keys(response)).toEqual(['DevID', 'CredActivation']);
    expect(bytes(response.CredActivation)).toHaveLength(32);
  });
});

describe('tpm_devid configuration', () => {
  it('of the agent needs the three files, and refuses what it does not know', () => {
    for (const key of Object.keys(MINIMAL)) {
      expect(tpmDevIdProver.schema.safeParse({ ...MINIMAL, [key]: undefined }).success, key).toBe(false);
    }
    expect(tpmDevIdProver.schema.safeParse({ ...MINIMAL, tpm_path: '/dev/tpm0' }).success).toBe(false);
    const all = {
      ...MINIMAL,
      tpm_device_path: '/dev/tpmrm0',
      devid_password: 'a',
      owner_hierarchy_password: 'b',
      endorsement_hierarchy_password: 'c',
    };
    expect(tpmDevIdProver.schema.parse(all)).toEqual(all);
  });

  it('of the agent refuses a device that can be none', async () => {
    const create = (tpm_device_path: string) =>
      tpmDevIdProver.create(tpmDevIdProver.schema.parse({ ...MINIMAL, tpm_device_path }), host);
    for (const device of [dir.path, 'tcp://127.0.0.1', 'tcp://127.0.0.1:99999']) {
      const problems = [expect.objectContaining({ path: 'tpm_device_path' })];
      await expect(create(device), device).rejects.toMatchObject({ name: 'ConfigError', problems });
    }
    for (const device of ['/dev/null', 'tcp://127.0.0.1:2321', '/nowhere']) expect((await create(device)).type, device);
  });

  it('of the server needs two files with certificates', async () => {
    const path = dir.join('cas.pem');
    const create = (config: object) => tpmDevIdVerifier.create(tpmDevIdVerifier.schema.parse(config), host);
    expect(tpmDevIdVerifier.schema.safeParse({ devid_ca_path: path }).success).toBe(false);
    expect(tpmDevIdVerifier.schema.safeParse({ endorsement_ca_path: path }).success).toBe(false);
    const both = { devid_ca_path: path, endorsement_ca_path: path };
    const problems = [expect.objectContaining({ path: 'devid_ca_path', file: path })];
    for (const text of [undefined, '', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n']) {
      if (text !== undefined) await writeFile(path, text);
      await expect(create(both), text).rejects.toMatchObject({ name: 'ConfigError', problems });
    }
    await writeFile(path, [devIdCa, vendor].map(({ der }) => toPem('CERTIFICATE', der)).join(''));
    expect((await attest(node.prover, await create(both))).canReattest).toBe(true);
  });
});

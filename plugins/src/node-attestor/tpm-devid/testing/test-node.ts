import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Logger, silentLogger } from '@steeple/daemon';
import { parseCertificate, TrustDomain, toPem } from '@steeple/spiffe';
import { der, type Forged, type ForgeOptions, forgeCertificate } from '@steeple/test-kit';
import { ChannelPair } from '../../channel-for-tests.ts';
import { TpmDevIdProver } from '../prover.ts';
import { ALG, ATTRIBUTE } from '../tpm/algorithms.ts';
import { sized, u16, u32 } from '../tpm/bytes.ts';
import { ENDORSEMENT_CERTIFICATE } from '../tpm/nv-certificate.ts';
import { ATTESTATION_KEY, ENDORSEMENT_KEY } from '../tpm/templates.ts';
import { TpmDevIdVerifier } from '../verifier.ts';
import { FakeTpm } from './fake-tpm.ts';
import { type SoftwareKey, withAttributes } from './software-keys.ts';

export const HOME = TrustDomain.parse('example.org');
export const NOW = Date.UTC(2030, 0, 1) / 1000;
const YEAR = 365 * 86_400;
const VALID = { notBefore: NOW - YEAR, notAfter: NOW + YEAR };

const DEVID_ATTRIBUTES =
  ATTRIBUTE.fixedTpm | ATTRIBUTE.fixedParent | ATTRIBUTE.sensitiveDataOrigin | ATTRIBUTE.userWithAuth | ATTRIBUTE.sign;
const ECDSA_P256 = [u16(ALG.null), u16(ALG.ecdsa), u16(ALG.sha256), u16(3), u16(ALG.null), sized(), sized()];
export const DEVID_KEY = {
  rsa: withAttributes(ATTESTATION_KEY, () => DEVID_ATTRIBUTES),
  ecc: Buffer.concat([u16(ALG.ecc), u16(ALG.sha256), u32(DEVID_ATTRIBUTES), sized(), ...ECDSA_P256]),
};
export type Kind = keyof typeof DEVID_KEY;

export function authority(commonName: string, more: Partial<ForgeOptions> = {}): Forged {
  return forgeCertificate({ commonName, ca: true, keyUsage: ['keyCertSign'], ...VALID, ...more });
}

export const devIdCa = authority('devid-ca');
export const vendor = authority('vendor');

/** The model of a TPM as vendors write it: a directory name in a critical extension. */
const model = der.sequence(der.der(0x31, der.sequence(der.oid('2.23.133.2.2'), der.utf8('model'))));
const MODEL = { oid: '2.5.29.17', critical: true, value: der.sequence(der.der(0xa4, model)) };

export function endorse({ privateKey }: SoftwareKey, more: Partial<ForgeOptions> = {}): Uint8Array {
  return forgeCertificate({
    issuer: vendor,
    commonName: 'unknown',
    privateKey,
    keyUsage: ['keyEncipherment'],
    extKeyUsage: ['2.23.133.8.1'],
    extensions: [MODEL],
    ...VALID,
    ...more,
  }).der;
}

export function certifyDevId({ privateKey }: SoftwareKey, more: Partial<ForgeOptions> = {}): Uint8Array {
  return forgeCertificate({
    issuer: devIdCa,
    commonName: 'node-1',
    privateKey,
    keyUsage: ['digitalSignature'],
    ...VALID,
    ...more,
  }).der;
}

export interface NodeOptions {
  readonly devId?: Kind;
  readonly endorsement?: Kind;
  readonly logger?: Logger;
}

/** A machine: its TPM on a socket, its DevID in files. */
export interface TestNode extends AsyncDisposable {
  readonly device: string;
  readonly tpm: FakeTpm;
  readonly devId: SoftwareKey;
  readonly certificate: Uint8Array;
  readonly files: {
    readonly certificatePath: string;
    readonly privateBlobPath: string;
    readonly publicBlobPath: string;
  };
  readonly prover: TpmDevIdProver;
}

let count = 0;

export async function startNode(folder: string, options: NodeOptions = {}): Promise<TestNode> {
  count += 1;
  const path = (name: string) => join(folder, `${count}-${name}`);
  const tpm = new FakeTpm();
  const endorsement = options.endorsement ?? 'rsa';
  tpm.nv.set(ENDORSEMENT_CERTIFICATE[endorsement], endorse(tpm.key(ENDORSEMENT_KEY[endorsement])));
  const devId = tpm.key(DEVID_KEY[options.devId ?? 'ecc']);
  const certificate = certifyDevId(devId);
  const files = { certificatePath: path('crt'), privateBlobPath: path('priv'), publicBlobPath: path('pub') };
  await writeFile(files.certificatePath, toPem('CERTIFICATE', certificate));
  await writeFile(files.privateBlobPath, tpm.seal(devId));
  await writeFile(files.publicBlobPath, devId.area.raw);
  const device = path('sock');
  const server = await tpm.serve(device);
  const prover = new TpmDevIdProver({
    device,
    files,
    passwords: { owner: new Uint8Array(), endorsement: new Uint8Array(), devId: new Uint8Array() },
    logger: options.logger ?? silentLogger,
  });
  return { device, tpm, devId, certificate, files, prover, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

export function verifierOf(
  devIdRoots: readonly Forged[] = [devIdCa],
  endorsementRoots: readonly Forged[] = [vendor],
  now = NOW,
): TpmDevIdVerifier {
  const read = (roots: readonly Forged[]) => roots.map(({ der: bytes }) => parseCertificate(bytes));
  const trust = { devIdRoots: read(devIdRoots), endorsementRoots: read(endorsementRoots), now: () => now };
  return new TpmDevIdVerifier({ trustDomain: HOME, trust, random: randomBytes });
}

/** Attests to a server that believes; fails with what the agent's half says. */
export async function prove(prover: TpmDevIdProver): Promise<void> {
  const pair = new ChannelPair();
  const { signal } = new AbortController();
  const serving = pair.server.receive().then((payload) => verifierOf().verify(payload, pair.server, signal));
  serving.catch(() => undefined);
  try {
    await prover.prove(pair.agent, signal);
    await serving;
  } finally {
    pair.close();
  }
}

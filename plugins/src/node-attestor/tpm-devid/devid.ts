import { readFile } from 'node:fs/promises';
import { IssuerError } from '@steeple/core';
import { parseCertificatesPem, spkiOf } from '@steeple/spiffe';
import { ALG, ATTRIBUTE } from './tpm/algorithms.ts';
import { hasAttributes, type PublicArea, readPublicArea } from './tpm/public-area.ts';

export interface DevIdFiles {
  readonly certificatePath: string;
  readonly privateBlobPath: string;
  readonly publicBlobPath: string;
}

/** What was provisioned: certificates, and a key that only its TPM can load. */
export interface DevId {
  /** DER, leaf first. */
  readonly certificates: readonly Uint8Array[];
  readonly publicArea: PublicArea;
  readonly privateBlob: Uint8Array;
}

/** Servers verify with SHA-256, RSA by PKCS #1 v1.5. */
const SCHEMES = [ALG.rsassa, ALG.ecdsa];
const MAX_BYTES = 64 * 1024;

/** @throws {IssuerError} `failed-precondition` that names the file at fault */
export async function readDevId(files: DevIdFiles): Promise<DevId> {
  const { certificatePath, publicBlobPath, privateBlobPath } = files;
  const publicBlob = withoutSize(await read(publicBlobPath));
  const privateBlob = withoutSize(await read(privateBlobPath));
  const publicArea = understand(publicBlobPath, () => readPublicArea(publicBlob));
  requireSigningKey(publicBlobPath, publicArea);
  const pem = (await read(certificatePath)).toString('utf8');
  const certificates = understand(certificatePath, () => parseCertificatesPem(pem));
  const [leaf] = certificates;
  if (leaf === undefined) throw unusable(certificatePath, 'holds no certificate in PEM');
  if (!Buffer.from(spkiOf(publicArea.key)).equals(leaf.spki)) {
    throw unusable(publicBlobPath, `is not the key of the first certificate in ${certificatePath}`);
  }
  return { certificates: certificates.map(({ raw }) => raw), publicArea, privateBlob };
}

function requireSigningKey(path: string, area: PublicArea): void {
  if (!hasAttributes(area, ATTRIBUTE.sign)) throw unusable(path, 'is not a signing key');
  const { scheme } = area;
  if (scheme === undefined || (SCHEMES.includes(scheme.algorithm as never) && scheme.hash === ALG.sha256)) return;
  throw unusable(path, 'signs neither by RSASSA nor by ECDSA with SHA-256, as servers verify');
}

/** tpm2-tools write blobs with their size in front, SPIRE's provisioning without. */
function withoutSize(blob: Buffer): Uint8Array {
  return blob.length > 2 && blob.readUInt16BE(0) === blob.length - 2 ? blob.subarray(2) : blob;
}

async function read(path: string): Promise<Buffer> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw unusable(path, `cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  if (bytes.length > MAX_BYTES) throw unusable(path, 'is too long');
  return bytes;
}

function understand<T>(path: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw unusable(path, `cannot be used: ${(error as Error).message}`);
  }
}

function unusable(path: string, reason: string): IssuerError {
  return new IssuerError('failed-precondition', `tpm_devid: ${path} ${reason}`);
}

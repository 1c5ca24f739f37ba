import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type RequestOptions, WorkloadApiClient } from '@steeple/client';
import { IssuerError } from '@steeple/core';
import { type Certificate, parseCertificatesPem, spkiOf } from '@steeple/spiffe';

/** What a node proves with: a certificate, those between it and a root, and its private key. */
export interface NodeKeyPair {
  readonly certificates: readonly Certificate[];
  readonly key: KeyObject;
}

export interface KeyPairFiles {
  readonly privateKeyPath: string;
  readonly certificatePath: string;
  readonly intermediatesPath?: string | undefined;
}

/** Seconds. */
const PATIENCE = 60;

/** @throws {IssuerError} `failed-precondition` that names the file */
export async function keyPairFromFiles(files: KeyPairFiles): Promise<NodeKeyPair> {
  const { privateKeyPath, certificatePath, intermediatesPath } = files;
  const key = await load(privateKeyPath, 'private key', (text) => createPrivateKey(text));
  const certificates = await load(certificatePath, 'certificate', parseCertificatesPem);
  const more = intermediatesPath ? await load(intermediatesPath, 'certificate', parseCertificatesPem) : [];
  const [leaf] = certificates;
  if (leaf === undefined) throw unusable(certificatePath, 'holds no certificate');
  if (!Buffer.from(leaf.spki).equals(spkiOf(createPublicKey(key)))) {
    throw unusable(privateKeyPath, `is not the key of the first certificate in ${certificatePath}`);
  }
  return { certificates: [...certificates, ...more], key };
}

/**
 * The default SVID that another agent gives this process.
 *
 * @throws {IssuerError} `unavailable`: it may give one later
 */
export async function keyPairFromWorkloadApi(address: string, options: RequestOptions): Promise<NodeKeyPair> {
  await using client = new WorkloadApiClient({ address });
  try {
    const { svids } = await client.fetchX509Context({ timeout: PATIENCE, ...options });
    const [svid] = svids;
    if (svid === undefined) throw new Error('there is none');
    return { certificates: svid.chain, key: svid.privateKey };
  } catch (cause) {
    options.signal?.throwIfAborted();
    const message = `x509pop: no SVID from the Workload API at ${address}: ${(cause as Error).message}`;
    throw new IssuerError('unavailable', message, { cause });
  }
}

async function load<T>(path: string, what: string, parse: (text: string) => T): Promise<T> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw unusable(path, `cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  if (what === 'private key' && text.includes('ENCRYPTED')) {
    throw unusable(path, 'is protected by a passphrase, and nobody is there to type it');
  }
  try {
    return parse(text);
  } catch {
    throw unusable(path, `holds no ${what} in PEM that is supported`);
  }
}

function unusable(path: string, reason: string): IssuerError {
  return new IssuerError('failed-precondition', `x509pop: ${path} ${reason}`);
}

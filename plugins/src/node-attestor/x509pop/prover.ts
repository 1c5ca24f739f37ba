import { createPrivateKey, createPublicKey, type KeyObject, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { IssuerError } from '@steeple/core';
import { type Certificate, parseCertificatesPem, spkiOf } from '@steeple/spiffe';
import type { AttestationChannel, NodeProver } from '../node-attestor.ts';
import { formatPayload, formatResponse, NONCE_BYTES, parseChallenge } from './messages.ts';
import { proofKindOf, provePossession } from './possession.ts';

export interface X509popProverFiles {
  readonly privateKeyPath: string;
  readonly certificatePath: string;
  readonly intermediatesPath?: string | undefined;
}

/** Agent's half: shows a certificate and proves that it holds its key. The files are read at each attestation. */
export class X509popProver implements NodeProver {
  readonly type = 'x509pop';
  readonly #files: X509popProverFiles;

  constructor(files: X509popProverFiles) {
    this.#files = files;
  }

  async prove(channel: AttestationChannel, signal: AbortSignal): Promise<void> {
    const { certificates, key } = await this.#load();
    const kind = proofKindOf(key);
    signal.throwIfAborted();
    await channel.send(formatPayload(certificates.map(({ raw }) => raw)));
    const challenge = parseChallenge(await channel.receive(), kind);
    signal.throwIfAborted();
    await channel.send(formatResponse(provePossession(key, challenge, randomBytes(NONCE_BYTES))));
  }

  async #load(): Promise<{ certificates: readonly Certificate[]; key: KeyObject }> {
    const { privateKeyPath, certificatePath, intermediatesPath } = this.#files;
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
}

async function load<T>(path: string, what: string, parse: (text: string) => T): Promise<T> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw unusable(path, `cannot be read (${(error as NodeJS.ErrnoException).code})`);
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

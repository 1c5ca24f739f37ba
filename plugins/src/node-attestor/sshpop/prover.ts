import { type KeyObject, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { IssuerError } from '@steeple/core';
import type { AttestationChannel, NodeProver } from '../node-attestor.ts';
import { firstBlobOf } from './authorized-keys.ts';
import { HOST_CERTIFICATE, readCertificate, type SshCertificate } from './certificate.ts';
import { formatPayload, formatResponse, NONCE_BYTES, parseChallenge, textToSign } from './messages.ts';
import { readPrivateKey } from './private-key.ts';
import { publicKeyOf } from './public-key.ts';
import { signWith } from './signature.ts';
import { SshFormatError } from './ssh-reader.ts';

export interface SshpopProverFiles {
  readonly hostKeyPath: string;
  readonly hostCertPath: string;
}

/** Agent's half: shows the host's certificate and signs with the host's key. The files are read at each attestation. */
export class SshpopProver implements NodeProver {
  readonly type = 'sshpop';
  readonly #files: SshpopProverFiles;

  constructor(files: SshpopProverFiles) {
    this.#files = files;
  }

  async prove(channel: AttestationChannel, signal: AbortSignal): Promise<void> {
    const { certificate, key } = await this.#load();
    signal.throwIfAborted();
    await channel.send(formatPayload(certificate.blob));
    const challenge = parseChallenge(await channel.receive());
    signal.throwIfAborted();
    const nonce = randomBytes(NONCE_BYTES);
    await channel.send(formatResponse({ nonce, signature: signWith(key, textToSign(challenge, nonce)) }));
  }

  async #load(): Promise<{ certificate: SshCertificate; key: KeyObject }> {
    const { hostKeyPath, hostCertPath } = this.#files;
    const key = await load(hostKeyPath, readPrivateKey);
    const certificate = await load(hostCertPath, certificateIn);
    if (certificate.kind !== HOST_CERTIFICATE) {
      throw unusable(hostCertPath, 'is a certificate of a user; sign one with: ssh-keygen -s <CA> -h -n <host name>');
    }
    if (!Buffer.from(certificate.key.blob).equals(publicKeyOf(key).blob)) {
      throw unusable(hostCertPath, `is not a certificate of the key in ${hostKeyPath}`);
    }
    return { certificate, key };
  }
}

function certificateIn(text: string): SshCertificate {
  try {
    return readCertificate(firstBlobOf(text));
  } catch (cause) {
    if (!(cause instanceof SshFormatError)) throw cause;
    throw new SshFormatError(`holds no OpenSSH certificate that is supported: ${cause.message}`, { cause });
  }
}

async function load<T>(path: string, parse: (text: string) => T): Promise<T> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw unusable(path, `cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof SshFormatError)) throw error;
    throw unusable(path, error.message);
  }
}

function unusable(path: string, reason: string): IssuerError {
  return new IssuerError('failed-precondition', `sshpop: ${path} ${reason}`);
}

import { randomBytes } from 'node:crypto';
import type { AttestationChannel, NodeProver } from '../node-attestor.ts';
import type { NodeKeyPair } from './key-pair.ts';
import { formatPayload, formatResponse, NONCE_BYTES, parseChallenge } from './messages.ts';
import { proofKindOf, provePossession } from './possession.ts';

/** Agent's half: shows a certificate and proves that it holds its key, which are looked up at each attestation. */
export class X509popProver implements NodeProver {
  readonly type = 'x509pop';
  readonly #keyPair: (signal: AbortSignal) => Promise<NodeKeyPair>;

  constructor(keyPair: (signal: AbortSignal) => Promise<NodeKeyPair>) {
    this.#keyPair = keyPair;
  }

  async prove(channel: AttestationChannel, signal: AbortSignal): Promise<void> {
    const { certificates, key } = await this.#keyPair(signal);
    const kind = proofKindOf(key);
    signal.throwIfAborted();
    await channel.send(formatPayload(certificates.map(({ raw }) => raw)));
    const challenge = parseChallenge(await channel.receive(), kind);
    signal.throwIfAborted();
    await channel.send(formatResponse(provePossession(key, challenge, randomBytes(NONCE_BYTES))));
  }
}

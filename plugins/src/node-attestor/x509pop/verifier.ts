import { BlockList, isIP } from 'node:net';
import { IssuerError } from '@steeple/core';
import { type Certificate, parseCertificate, SpiffeError, type TrustDomain } from '@steeple/spiffe';
import type { AgentPathTemplate } from '../agent-path-template.ts';
import type { AttestationChannel, NodeVerifier, VerifiedNode } from '../node-attestor.ts';
import { nodeSelectors, pathFacts } from './certificate-facts.ts';
import { formatChallenge, NONCE_BYTES, parsePayload, parseResponse } from './messages.ts';
import { possessionProven, proofKindOf } from './possession.ts';

/** How certificates are believed: by configured authorities, or as SVIDs of the own trust domain. */
export interface CertificateTrust {
  /**
   * All chains from the leaf to a root, and in mode `spiffe` the SVID's path without the prefix.
   *
   * @throws {IssuerError} `permission-denied`
   */
  judge(leaf: Certificate, intermediates: readonly Certificate[]): TrustedCertificate;
}

interface TrustedCertificate {
  readonly chains: readonly (readonly Certificate[])[];
  readonly svidPathTrimmed: string;
}

export interface X509popVerifierOptions {
  readonly trustDomain: TrustDomain;
  readonly trust: CertificateTrust;
  readonly agentPath: AgentPathTemplate;
  readonly maxIntermediates: number;
  /** In bits. */
  readonly maxRsaKeySize: number;
  readonly verifyClientIp: boolean;
  readonly random: (bytes: number) => Uint8Array;
}

/** Server's half: believes who shows a trusted certificate and answers a fresh challenge with its key. */
export class X509popVerifier implements NodeVerifier {
  readonly type = 'x509pop';
  readonly #options: X509popVerifierOptions;

  constructor(options: X509popVerifierOptions) {
    this.#options = options;
  }

  async verify(payload: Uint8Array, channel: AttestationChannel, signal: AbortSignal): Promise<VerifiedNode> {
    const [leaf, ...intermediates] = this.#certificates(payload);
    if (leaf === undefined) throw new IssuerError('invalid-argument', 'x509pop: no certificate to attest');
    const trusted = this.#options.trust.judge(leaf, intermediates);
    if (leaf.keyUsage?.digitalSignature !== true) throw refused('certificate not intended for digital signature use');
    if (this.#options.verifyClientIp) requireAddress(leaf, channel.peerAddress);
    await this.#challenge(leaf, channel, signal);
    const { trustDomain, agentPath } = this.#options;
    const facts = pathFacts(leaf, trustDomain, trusted.svidPathTrimmed);
    const agentId = agentPath.agentId(trustDomain, facts, 'x509pop: the certificate');
    return { agentId, selectors: nodeSelectors(leaf, trusted.chains, trustDomain), canReattest: true };
  }

  #certificates(payload: Uint8Array): readonly Certificate[] {
    const ders = parsePayload(payload);
    const { maxIntermediates, maxRsaKeySize } = this.#options;
    if (ders.length - 1 > maxIntermediates) {
      throw new IssuerError('invalid-argument', `x509pop: more than ${maxIntermediates} intermediate certificates`);
    }
    const certificates = ders.map(readCertificate);
    for (const { publicKey } of certificates) {
      if ((publicKey.asymmetricKeyDetails?.modulusLength ?? 0) <= maxRsaKeySize) continue;
      throw new IssuerError('invalid-argument', `x509pop: an RSA key has more than ${maxRsaKeySize} bits`);
    }
    return certificates;
  }

  async #challenge(leaf: Certificate, channel: AttestationChannel, signal: AbortSignal): Promise<void> {
    const kind = proofKindOf(leaf.publicKey);
    const nonce = this.#options.random(NONCE_BYTES);
    await channel.send(formatChallenge(kind, nonce));
    const response = parseResponse(await channel.receive(), kind);
    signal.throwIfAborted();
    if (possessionProven(leaf.publicKey, nonce, response)) return;
    throw new IssuerError('permission-denied', 'challenge response verification failed: the signature does not hold');
  }
}

function readCertificate(der: Uint8Array): Certificate {
  try {
    const certificate = parseCertificate(der);
    // Imports the key, so that an unsupported one is the sender's mistake.
    void certificate.publicKey;
    return certificate;
  } catch (cause) {
    if (!(cause instanceof SpiffeError)) throw cause;
    throw new IssuerError('invalid-argument', `x509pop: unusable certificate: ${cause.message}`, { cause });
  }
}

function requireAddress(leaf: Certificate, address: string | undefined): void {
  // A BlockList compares addresses, not their many spellings.
  const named = new BlockList();
  for (const san of leaf.ipSans) named.addAddress(san, familyOf(san));
  if (address !== undefined && isIP(address) !== 0 && named.check(address, familyOf(address))) return;
  throw refused('the agent connects from an address that the certificate does not name');
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

function refused(reason: string): IssuerError {
  return new IssuerError('permission-denied', `certificate verification failed: ${reason}`);
}

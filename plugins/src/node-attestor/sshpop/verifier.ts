import { IssuerError } from '@steeple/core';
import type { TrustDomain } from '@steeple/spiffe';
import type { AgentPathTemplate, TemplateFields } from '../agent-path-template.ts';
import type { AttestationChannel, NodeVerifier, VerifiedNode } from '../node-attestor.ts';
import { fingerprintOf, readCertificate, type SshCertificate } from './certificate.ts';
import { judgeHostCertificate, UntrustedCertificate } from './host-certificate.ts';
import { formatChallenge, NONCE_BYTES, parsePayload, parseResponse, textToSign } from './messages.ts';
import type { SshPublicKey } from './public-key.ts';
import type { RevokedKeys } from './revoked-keys.ts';
import { signatureHolds } from './signature.ts';
import { SshFormatError } from './ssh-reader.ts';

export interface SshpopVerifierOptions {
  readonly trustDomain: TrustDomain;
  readonly authorities: readonly SshPublicKey[];
  /** What the host name ends in; empty: any. */
  readonly canonicalDomain: string;
  readonly agentPath: AgentPathTemplate;
  /** Read anew for each attestation, so that what is revoked is revoked at once. Whatever it throws is a denial. */
  readonly revoked: () => Promise<RevokedKeys>;
  /** Whether the agent may sign the challenge with SHA-1, as SPIRE's does with an RSA key. */
  readonly acceptSha1Responses: boolean;
  /** Unix seconds. */
  readonly now: () => number;
  readonly random: (bytes: number) => Uint8Array;
}

/** What a path template may name. */
export const PATH_FIELDS: TemplateFields = {
  PluginName: 'text',
  Fingerprint: 'text',
  Hostname: 'text',
  KeyId: 'text',
  Serial: 'text',
  ValidPrincipals: 'text',
  CriticalOptions: 'map',
  Extensions: 'map',
};

/** Server's half: believes a host certificate of a configured authority whose key answers a fresh challenge. */
export class SshpopVerifier implements NodeVerifier {
  readonly type = 'sshpop';
  readonly #options: SshpopVerifierOptions;

  constructor(options: SshpopVerifierOptions) {
    this.#options = options;
  }

  async verify(payload: Uint8Array, channel: AttestationChannel, signal: AbortSignal): Promise<VerifiedNode> {
    const certificate = wellFormed('the certificate', () => readCertificate(parsePayload(payload)));
    const hostname = this.#judge(certificate, channel.peerAddress);
    const revoked = await this.#options.revoked();
    if (revoked.has(certificate)) throw refused('it is revoked');
    await this.#challenge(certificate, channel, signal);
    const { agentPath, trustDomain } = this.#options;
    const facts = {
      PluginName: this.type,
      Fingerprint: fingerprintOf(certificate),
      Hostname: hostname,
      KeyId: certificate.keyId,
      Serial: certificate.serial,
      ValidPrincipals: certificate.principals,
      CriticalOptions: Object.fromEntries(certificate.criticalOptions),
      Extensions: Object.fromEntries(certificate.extensions),
    };
    const agentId = agentPath.agentId(trustDomain, facts, 'sshpop: the certificate');
    return { agentId, selectors: [], canReattest: true };
  }

  /** The host name without the domain that all have in common. */
  #judge(certificate: SshCertificate, peerAddress: string | undefined): string {
    const { authorities, canonicalDomain, now } = this.#options;
    let principal: string;
    try {
      principal = judgeHostCertificate(certificate, { authorities, now: now(), peerAddress });
    } catch (cause) {
      if (!(cause instanceof UntrustedCertificate)) throw cause;
      throw refused(cause.message, cause);
    }
    if (canonicalDomain === '') return principal;
    const suffix = `.${canonicalDomain}`;
    if (principal.length > suffix.length && principal.endsWith(suffix)) return principal.slice(0, -suffix.length);
    throw refused(`its first principal is not in the domain "${canonicalDomain}"`);
  }

  async #challenge({ key }: SshCertificate, channel: AttestationChannel, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const challenge = this.#options.random(NONCE_BYTES);
    await channel.send(formatChallenge(challenge));
    const { nonce, signature } = parseResponse(await channel.receive());
    signal.throwIfAborted();
    const options = { allowSha1: this.#options.acceptSha1Responses };
    const text = textToSign(challenge, nonce);
    if (wellFormed('challenge response', () => signatureHolds(key, text, signature, options))) return;
    throw new IssuerError(
      'permission-denied',
      'sshpop: the challenge was not answered with the key of the certificate',
    );
  }
}

function wellFormed<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof SshFormatError)) throw cause;
    throw new IssuerError('invalid-argument', `sshpop: ${what}: ${cause.message}`, { cause });
  }
}

function refused(reason: string, cause?: unknown): IssuerError {
  return new IssuerError('permission-denied', `sshpop: the certificate is not accepted: ${reason}`, { cause });
}

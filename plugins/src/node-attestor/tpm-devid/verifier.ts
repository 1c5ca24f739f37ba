import { createHash, timingSafeEqual, verify } from 'node:crypto';
import { dedupeSelectors, IssuerError, type Selector } from '@steeple/core';
import {
  type Certificate,
  keyTypeOf,
  parseCertificate,
  SpiffeError,
  SpiffeId,
  type TrustDomain,
} from '@steeple/spiffe';
import type { AttestationChannel, NodeVerifier, VerifiedNode } from '../node-attestor.ts';
import { type Evidence, formatChallenge, NONCE_BYTES, parseEvidence, parseResponse } from './messages.ts';
import { requireResidency } from './residency.ts';
import { TpmFormatError } from './tpm/bytes.ts';
import { type Credential, makeCredential } from './tpm/make-credential.ts';
import { readPublicArea } from './tpm/public-area.ts';
import { devIdChains, requireEndorsed, type Trust } from './trust.ts';

const MAX_INTERMEDIATES = 8;

export interface TpmDevIdVerifierOptions {
  readonly trustDomain: TrustDomain;
  readonly trust: Trust;
  readonly random: (bytes: number) => Uint8Array;
}

/** Server's half: believes a DevID certificate whose key is shown to live in a TPM that a manufacturer vouches for. */
export class TpmDevIdVerifier implements NodeVerifier {
  readonly type = 'tpm_devid';
  readonly #options: TpmDevIdVerifierOptions;

  constructor(options: TpmDevIdVerifierOptions) {
    this.#options = options;
  }

  async verify(payload: Uint8Array, channel: AttestationChannel, signal: AbortSignal): Promise<VerifiedNode> {
    const { trustDomain, trust, random } = this.#options;
    const evidence = parseEvidence(payload);
    const [leaf, ...intermediates] = readDevIdCertificates(evidence);
    if (leaf === undefined) throw invalid('no DevID certificate to attest');
    const chains = devIdChains(leaf, intermediates, trust);
    const secret = random(NONCE_BYTES);
    const credential = asRefusal(() => this.#judge(evidence, leaf, secret));
    const nonce = random(NONCE_BYTES);
    signal.throwIfAborted();
    await channel.send(
      formatChallenge({ nonce, credential: credential.blob, encryptedSeed: credential.encryptedSeed }),
    );
    const response = parseResponse(await channel.receive());
    signal.throwIfAborted();
    if (!verify('sha256', nonce, leaf.publicKey, response.signature)) {
      throw refused('the nonce is not signed with the DevID key');
    }
    if (response.secret.length !== secret.length || !timingSafeEqual(response.secret, secret)) {
      throw refused('credential activation failed: the attestation key is not in the TPM of the endorsement key');
    }
    const agentId = SpiffeId.of(trustDomain, `/spire/agent/${this.type}/${fingerprintOf(leaf)}`);
    return { agentId, selectors: selectorsOf(leaf, chains), canReattest: true };
  }

  #judge(evidence: Evidence, devIdCertificate: Certificate, secret: Uint8Array): Credential {
    const endorsementCertificate = readCertificate(evidence.endorsementCertificate, 'endorsement certificate');
    requireEndorsed(endorsementCertificate, this.#options.trust);
    const endorsement = readPublicArea(evidence.endorsementPublic);
    const attestation = readPublicArea(evidence.attestationPublic);
    requireResidency({
      devIdCertificate,
      devId: readPublicArea(evidence.devIdPublic),
      endorsementCertificate,
      endorsement,
      attestation,
      certification: evidence.certification,
      certificationSignature: evidence.certificationSignature,
    });
    return makeCredential(endorsement, attestation.name, secret, this.#options.random);
  }
}

function readDevIdCertificates({ devIdCertificates }: Evidence): readonly Certificate[] {
  if (devIdCertificates.length - 1 > MAX_INTERMEDIATES) {
    throw invalid(`more than ${MAX_INTERMEDIATES} intermediate certificates`);
  }
  return devIdCertificates.map((der) => readCertificate(der, 'DevID certificate'));
}

function readCertificate(der: Uint8Array, what: string): Certificate {
  try {
    const certificate = parseCertificate(der);
    const { family } = keyTypeOf(certificate.publicKey);
    if (family === 'ed25519') throw new SpiffeError('unsupported-key', 'TPMs have RSA and ECDSA keys');
    return certificate;
  } catch (cause) {
    if (!(cause instanceof SpiffeError)) throw cause;
    throw new IssuerError('invalid-argument', `tpm_devid: unusable ${what}: ${cause.message}`, { cause });
  }
}

function asRefusal<T>(judge: () => T): T {
  try {
    return judge();
  } catch (cause) {
    if (!(cause instanceof TpmFormatError)) throw cause;
    throw new IssuerError('invalid-argument', `tpm_devid: unusable attestation data: ${cause.message}`, { cause });
  }
}

/** SHA-1 of the DER in lower-case hex: a name SPIRE gives to certificates, not a protection. */
function fingerprintOf(certificate: Certificate): string {
  return createHash('sha1').update(certificate.raw).digest('hex');
}

function selectorsOf(leaf: Certificate, chains: readonly (readonly Certificate[])[]): readonly Selector[] {
  const authorities = chains.flatMap((chain) => chain.slice(1));
  const issuer = authorities[0]?.commonName;
  const values = [
    ...(leaf.commonName ? [`subject:cn:${leaf.commonName}`] : []),
    ...(issuer ? [`issuer:cn:${issuer}`] : []),
    ...authorities.map((authority) => `ca:fingerprint:${fingerprintOf(authority)}`),
  ];
  return dedupeSelectors(values.map((value) => ({ type: 'tpm_devid', value })));
}

function invalid(message: string): IssuerError {
  return new IssuerError('invalid-argument', `tpm_devid: ${message}`);
}

function refused(message: string): IssuerError {
  return new IssuerError('permission-denied', `tpm_devid: ${message}`);
}

import { type AgentRecord, IssuerError, type RegistrationEntry } from '@steeple/core';
import { type Csr, publicKeyFromSpki, readCsr, SpiffeError, type SpiffeId } from '@steeple/spiffe';
import type { AuthorizedEntries } from './authorized-entries.ts';
import type { CertificateAuthority, SignedToken, SignedX509 } from './certificate-authority.ts';
import type { RequestKey } from './request-key.ts';
import type { RequestReader } from './request-reader.ts';

/** What a deployment has switched off or on. */
export interface IssuanceSettings {
  readonly jwt: boolean;
  readonly wit: boolean;
}

/**
 * From an entry and a request to an identity. The entry is looked up among the caller's authorised entries at every
 * request, and ID, names and lifetime come from it: of the request only the proven public key counts.
 */
export class SvidIssuance {
  readonly #ca: CertificateAuthority;
  readonly #entries: AuthorizedEntries;
  readonly #requests: RequestReader;
  readonly #settings: IssuanceSettings;

  constructor(
    ca: CertificateAuthority,
    entries: AuthorizedEntries,
    requests: RequestReader,
    settings: IssuanceSettings,
  ) {
    this.#ca = ca;
    this.#entries = entries;
    this.#requests = requests;
    this.#settings = settings;
  }

  /** The lookup of one agent; make it once per batch. @throws {IssuerError} `unavailable` before entries are loaded */
  entriesOf(agent: AgentRecord): (entryId: string) => RegistrationEntry {
    const find = this.#entries.finder(agent);
    return (entryId) => {
      if (entryId === '') throw new IssuerError('invalid-argument', 'missing entry ID');
      const entry = find(entryId);
      if (!entry) throw new IssuerError('not-found', 'entry not found or not authorized');
      return entry;
    };
  }

  /** The keys that the signing requests of a batch prove, to be asked for in order, see {@link RequestReader}. */
  keysOf(requests: readonly Uint8Array[]): (index: number) => Promise<RequestKey> {
    return this.#requests.batch(requests);
  }

  async newX509(
    find: (entryId: string) => RegistrationEntry,
    entryId: string,
    readKey: () => Promise<RequestKey>,
  ): Promise<SignedX509> {
    if (entryId === '') throw new IssuerError('invalid-argument', 'missing entry ID');
    const key = await readKey();
    if ('refused' in key) throw refusal(key);
    const entry = find(entryId);
    return this.#ca.signX509({ id: entry.spiffeId, spki: key.spki, ttl: entry.x509SvidTtl, dnsNames: entry.dnsNames });
  }

  async newJwt(
    find: (entryId: string) => RegistrationEntry,
    entryId: string,
    audience: readonly string[],
  ): Promise<SignedToken> {
    this.#requireJwt();
    checkAudience(audience);
    const entry = find(entryId);
    return this.#ca.signJwt({ id: entry.spiffeId, audience, ttl: entry.jwtSvidTtl, withJti: entry.jwtSvidIncludeJti });
  }

  async newWit(
    find: (entryId: string) => RegistrationEntry,
    entryId: string,
    spki: Uint8Array,
    algorithm: string,
  ): Promise<SignedToken> {
    this.requireWit();
    const entry = find(entryId);
    return this.#signWit(entry.spiffeId, spki, algorithm, 0);
  }

  /** An X509-SVID for an administrator, with the names and subject the request asks for. */
  mintX509(id: SpiffeId, csr: Csr, ttl: number): Promise<SignedX509> {
    return this.#ca.signX509({
      id,
      spki: csr.spki,
      ttl,
      dnsNames: csr.dnsSans,
      ...(csr.hasSubject && { subject: csr.subject }),
    });
  }

  async mintJwt(id: SpiffeId, audience: readonly string[], ttl: number): Promise<SignedToken> {
    this.#requireJwt();
    checkAudience(audience);
    return this.#ca.signJwt({ id, audience, ttl });
  }

  async mintWit(id: SpiffeId, spki: Uint8Array, algorithm: string, ttl: number): Promise<SignedToken> {
    this.requireWit();
    return this.#signWit(id, spki, algorithm, ttl);
  }

  /** @throws {IssuerError} `unimplemented` unless WIT-SVIDs are switched on */
  requireWit(): void {
    if (!this.#settings.wit) throw new IssuerError('unimplemented', 'WIT functionality is disabled');
  }

  #requireJwt(): void {
    if (!this.#settings.jwt) throw new IssuerError('unimplemented', 'JWT functionality is disabled');
  }

  async #signWit(id: SpiffeId, spki: Uint8Array, algorithm: string, ttl: number): Promise<SignedToken> {
    if (spki.length === 0) throw new IssuerError('invalid-argument', 'missing public key');
    try {
      const publicKey = publicKeyFromSpki(spki);
      return await this.#ca.signWit({ id, publicKey, ttl, ...(algorithm && { algorithm }) });
    } catch (cause) {
      if (!(cause instanceof SpiffeError)) throw cause;
      throw new IssuerError('invalid-argument', `malformed public key: ${cause.message}`, { cause });
    }
  }
}

/** Reads a CSR and proves that its maker holds the key. @throws {IssuerError} `invalid-argument` with SPIRE's texts */
export const readRequest = (
  der: Uint8Array,
  signatureText = 'invalid CSR signature',
  malformedText = 'malformed CSR',
): Csr => {
  if (der.length === 0) throw new IssuerError('invalid-argument', 'missing CSR');
  try {
    return readCsr(der);
  } catch (cause) {
    if (!(cause instanceof SpiffeError)) throw cause;
    const text = cause.reason === 'signature' ? signatureText : malformedText;
    throw new IssuerError('invalid-argument', `${text}: ${cause.message}`, { cause });
  }
};

const refusal = ({ refused, message }: Extract<RequestKey, { refused: string }>): IssuerError => {
  if (refused === 'missing') return new IssuerError('invalid-argument', 'missing CSR');
  const text = refused === 'signature' ? 'invalid CSR signature' : 'malformed CSR';
  return new IssuerError('invalid-argument', `${text}: ${message}`);
};

const checkAudience = (audience: readonly string[]): void => {
  if (audience.length === 0) throw new IssuerError('invalid-argument', 'at least one audience is required');
  if (audience.includes('')) throw new IssuerError('invalid-argument', 'audience must not be empty');
};

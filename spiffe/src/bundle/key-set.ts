import { decodeBase64 } from '../encoding/base64.ts';
import { SpiffeError } from '../errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json-value.ts';
import { publicKeyFromJwk } from '../jwt/jwk.ts';
import { type Certificate, parseCertificate } from '../x509/certificate.ts';
import { sameKey } from './authority-lists.ts';
import { type TokenAuthority, tokenAuthority } from './token-authority.ts';
import type { X509Authority } from './x509-authority.ts';

/** What the key of an entry is for. */
export type KeyUse = 'x509-svid' | 'jwt-svid' | 'wit-svid';

/** Told of each entry that was left out, for the log: a publisher that makes one has a fault or is newer than we are. */
export type OnIgnoredKey = (ignored: { readonly index: number; readonly reason: string }) => void;

export interface KeySet {
  readonly x509Authorities: readonly X509Authority[];
  readonly jwtAuthorities: readonly TokenAuthority[];
  readonly witAuthorities: readonly TokenAuthority[];
}

/**
 * The usable entries of a JWK Set's `keys`. An entry of unknown type or use, or one that breaks its own rules, is left out
 * whole while the others count (TDB-10, TDB-15, TDB-18, X509-38).
 *
 * @param useOf what an entry is for, from its `use` member; `undefined` leaves it out
 * @throws SpiffeError `invalid-bundle` if `keys` is missing or no array (TDB-09)
 */
export function readKeySet(
  document: JsonObject,
  useOf: (use: JsonValue | undefined) => KeyUse | undefined,
  onIgnored?: OnIgnoredKey,
): KeySet {
  const { keys } = document;
  if (!Array.isArray(keys)) throw new SpiffeError('invalid-bundle', 'the document has no keys', { rule: 'TDB-09' });

  const x509Authorities: X509Authority[] = [];
  const tokens = { 'jwt-svid': new Map<string, Named>(), 'wit-svid': new Map<string, Named>() };
  for (const [index, jwk] of (keys as readonly JsonValue[]).entries()) {
    try {
      const use = isJsonObject(jwk) ? useOf(jwk['use']) : undefined;
      if (use === undefined || !isJsonObject(jwk)) throw unusable('unknown use');
      if (use === 'x509-svid') x509Authorities.push({ certificate: readRoot(jwk), tainted: false });
      else addToken(tokens[use], readToken(jwk), index);
    } catch (error) {
      if (!(error instanceof SpiffeError)) throw error;
      onIgnored?.({ index, reason: error.message });
    }
  }
  // One id for both kinds (WIT-33): readers that do not know WIT-SVIDs see the JWT key only, so that is what it names.
  for (const [kid, { index }] of tokens['wit-svid']) {
    if (!tokens['jwt-svid'].has(kid)) continue;
    tokens['wit-svid'].delete(kid);
    onIgnored?.({ index, reason: 'the key id names a JWT key too' });
  }
  return {
    x509Authorities,
    jwtAuthorities: unambiguous(tokens['jwt-svid']),
    witAuthorities: unambiguous(tokens['wit-svid']),
  };
}

/** A key under its id, and whether the same id also named another key. */
interface Named {
  readonly index: number;
  readonly authority: TokenAuthority;
  ambiguous: boolean;
}

function addToken(known: Map<string, Named>, authority: TokenAuthority, index: number): void {
  const earlier = known.get(authority.kid);
  if (earlier === undefined) {
    known.set(authority.kid, { index, authority, ambiguous: false });
  } else if (!sameKey(earlier.authority, authority)) {
    // Choosing one would let the order of a faulty document decide who is trusted.
    earlier.ambiguous = true;
    throw unusable('one key id names two keys, so it names none');
  }
}

function unambiguous(known: ReadonlyMap<string, Named>): readonly TokenAuthority[] {
  return [...known.values()].filter(({ ambiguous }) => !ambiguous).map(({ authority }) => authority);
}

function readToken(jwk: JsonObject): TokenAuthority {
  const { kid } = jwk;
  if (typeof kid !== 'string' || kid === '') throw unusable('no key id');
  const publicKey = publicKeyFromJwk(jwk);
  if (publicKey.asymmetricKeyType === 'ed25519') throw unusable('no algorithm of SPIFFE tokens fits the key');
  return tokenAuthority(kid, publicKey);
}

/** The first certificate of `x5c`: a CA whose key is the one of the JWK (X509-35, X509-38, X509-39, RFC 7517 section 4.7). */
function readRoot(jwk: JsonObject): Certificate {
  const { x5c } = jwk;
  const first: JsonValue | undefined = Array.isArray(x5c) ? x5c[0] : undefined;
  const der = typeof first === 'string' ? decodeBase64(first) : undefined;
  if (der === undefined) throw unusable('no certificate');
  const certificate = parseCertificate(der);
  if (certificate.basicConstraints?.ca !== true) throw unusable('the certificate is no CA');
  if (!publicKeyFromJwk(jwk).equals(certificate.publicKey)) throw unusable('key and certificate differ');
  return certificate;
}

function unusable(reason: string): SpiffeError {
  return new SpiffeError('invalid-bundle', reason);
}

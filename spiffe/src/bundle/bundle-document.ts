import { SpiffeError } from '../errors.ts';
import type { TrustDomain } from '../id/trust-domain.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json-value.ts';
import { parseJson } from '../json/strict-json.ts';
import type { Jwk } from '../jwt/jwk.ts';
import { rootJwk, tokenJwk } from './format-key.ts';
import { type KeyUse, type OnIgnoredKey, readKeySet } from './key-set.ts';
import { readRefreshHint } from './refresh-hint.ts';
import { TrustBundle } from './trust-bundle.ts';

/** Largest document read, in bytes (FED-H1). */
export const MAX_BUNDLE_BYTES = 1_048_576;
const LIMITS = { maxBytes: MAX_BUNDLE_BYTES, maxDepth: 16 };
const USES: ReadonlySet<unknown> = new Set<KeyUse>(['x509-svid', 'jwt-svid', 'wit-svid']);

export interface FormatBundleOptions {
  /** Whether WIT authorities are published; default false, because older readers refuse a bundle that has them. */
  readonly wit?: boolean;
}

/**
 * Reads a SPIFFE bundle document (SPIFFE Trust Domain and Bundle, section 4). The document does not say whose it is, so
 * the caller does. A valid document without usable keys gives an empty bundle, which replaces an earlier one (TDB-11).
 *
 * @throws SpiffeError `malformed-json`, `invalid-bundle`
 */
export function parseBundleDocument(
  trustDomain: TrustDomain,
  text: string | Uint8Array,
  options: { readonly onIgnored?: OnIgnoredKey } = {},
): TrustBundle {
  return readBundle(trustDomain, parseJson(text, LIMITS), options.onIgnored);
}

/** A bundle document that has been read as JSON already, such as a member of a bundle map. */
export function readBundle(trustDomain: TrustDomain, document: JsonValue, onIgnored?: OnIgnoredKey): TrustBundle {
  if (!isJsonObject(document)) throw new SpiffeError('invalid-bundle', 'a bundle is a JSON object', { rule: 'TDB-09' });
  return TrustBundle.of(trustDomain, {
    ...readKeySet(document, (use) => (USES.has(use) ? (use as KeyUse) : undefined), onIgnored),
    sequence: readSequence(document),
    refreshHint: readRefreshHint(document['spiffe_refresh_hint']),
  });
}

/**
 * Writes a SPIFFE bundle document with only the members the standard defines (TDB-13). Sequence and hint are left out when
 * they are 0.
 *
 * @throws SpiffeError `invalid-bundle` if one key id names a JWT and a WIT key (WIT-33)
 */
export function formatBundleDocument(bundle: TrustBundle, options: FormatBundleOptions = {}): string {
  const witAuthorities = options.wit === true ? bundle.witAuthorities : [];
  if (witAuthorities.some(({ kid }) => bundle.jwtAuthority(kid) !== undefined)) {
    throw new SpiffeError('invalid-bundle', 'one key id names a JWT and a WIT key', { rule: 'WIT-33' });
  }
  const keys: Jwk[] = [
    ...bundle.x509Authorities.map(rootJwk),
    ...bundle.jwtAuthorities.map((authority) => tokenJwk(authority, 'jwt-svid')),
    ...witAuthorities.map((authority) => tokenJwk(authority, 'wit-svid')),
  ];
  const members = [`"keys":${JSON.stringify(keys)}`];
  // Written by hand, because a number of JSON.stringify is exact to 2^53 only (TDB-06).
  if (bundle.sequence > 0n) members.push(`"spiffe_sequence":${bundle.sequence}`);
  if (bundle.refreshHint > 0) members.push(`"spiffe_refresh_hint":${bundle.refreshHint}`);
  return `{${members.join(',')}}`;
}

function readSequence(document: JsonObject): bigint {
  const sequence = document['spiffe_sequence'] ?? 0;
  // Whatever is out of range for it, the bundle itself refuses.
  if (typeof sequence === 'bigint' || Number.isSafeInteger(sequence)) return BigInt(sequence as bigint | number);
  throw new SpiffeError('invalid-bundle', 'the sequence is no integer', { rule: 'TDB-05' });
}

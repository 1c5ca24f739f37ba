import { SpiffeError } from '../errors.ts';
import { isJsonObject } from '../json/json-value.ts';
import { parseJson } from '../json/strict-json.ts';
import { MAX_BUNDLE_BYTES } from './bundle-document.ts';
import { tokenJwk } from './format-key.ts';
import { type OnIgnoredKey, readKeySet } from './key-set.ts';
import type { TokenAuthority } from './token-authority.ts';

const LIMITS = { maxBytes: MAX_BUNDLE_BYTES, maxDepth: 16 };

/**
 * The keys of one trust domain as the Workload API delivers them: a plain JWK Set (RFC 7517). JWT keys carry no `use`,
 * because ordinary libraries refuse values they do not know; WIT keys carry theirs.
 */
export function formatJwks(
  authorities: readonly TokenAuthority[],
  options: { readonly use?: 'wit-svid' } = {},
): string {
  return JSON.stringify({ keys: authorities.map((authority) => tokenJwk(authority, options.use)) });
}

/**
 * Reads a JWK Set of the Workload API. Such a document holds one kind of key, so an entry without `use` counts; one with
 * the `use` of another kind does not.
 *
 * @throws SpiffeError `malformed-json`, `invalid-bundle`
 */
export function parseJwks(
  text: string | Uint8Array,
  kind: 'jwt' | 'wit',
  options: { readonly onIgnored?: OnIgnoredKey } = {},
): readonly TokenAuthority[] {
  const document = parseJson(text, LIMITS);
  if (!isJsonObject(document)) throw new SpiffeError('invalid-bundle', 'a JWK Set is a JSON object');
  const own = kind === 'jwt' ? 'jwt-svid' : 'wit-svid';
  const keys = readKeySet(document, (use) => (use === undefined || use === own ? own : undefined), options.onIgnored);
  return kind === 'jwt' ? keys.jwtAuthorities : keys.witAuthorities;
}

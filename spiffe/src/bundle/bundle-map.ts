import { SpiffeError } from '../errors.ts';
import { TrustDomain } from '../id/trust-domain.ts';
import { isJsonObject } from '../json/json-value.ts';
import { parseJson } from '../json/strict-json.ts';
import { type FormatBundleOptions, formatBundleDocument, readBundle } from './bundle-document.ts';
import { BundleSet } from './bundle-set.ts';
import type { OnIgnoredKey } from './key-set.ts';
import type { TrustBundle } from './trust-bundle.ts';

const LIMITS = { maxBytes: 16_777_216, maxDepth: 18 };

/**
 * Reads a SPIFFE bundle map (SPIFFE Trust Domain and Bundle, section 5): all of it or nothing (BMAP-07). It states the
 * whole world, so a trust domain that is missing in it is no longer trusted. Refresh hints inside are ignored (BMAP-05).
 *
 * @throws SpiffeError `malformed-json` (a repeated name among others, BMAP-03), `invalid-bundle`
 */
export function parseBundleMap(
  text: string | Uint8Array,
  options: { readonly onIgnored?: (trustDomain: TrustDomain, ...ignored: Parameters<OnIgnoredKey>) => void } = {},
): BundleSet {
  const document = parseJson(text, LIMITS);
  const trustDomains = isJsonObject(document) ? document['trust_domains'] : undefined;
  if (!isJsonObject(trustDomains)) {
    throw new SpiffeError('invalid-bundle', 'the bundle map has no trust_domains', { rule: 'BMAP-01' });
  }
  const bundles = Object.entries(trustDomains).map(([name, bundle]) => {
    const trustDomain = requireName(name);
    const onIgnored: OnIgnoredKey = (ignored) => options.onIgnored?.(trustDomain, ignored);
    return readBundle(trustDomain, bundle ?? null, onIgnored).with({ refreshHint: 0 });
  });
  return BundleSet.of(...bundles);
}

/**
 * Writes a bundle map, without refresh hints (BMAP-04).
 *
 * @throws SpiffeError `invalid-bundle` if a trust domain is there twice (BMAP-02)
 */
export function formatBundleMap(bundles: Iterable<TrustBundle>, options: FormatBundleOptions = {}): string {
  const members = new Map<string, string>();
  for (const bundle of bundles) {
    const { name } = bundle.trustDomain;
    if (members.has(name)) {
      throw new SpiffeError('invalid-bundle', `trust domain ${name} is there twice`, { rule: 'BMAP-02' });
    }
    members.set(name, formatBundleDocument(bundle.with({ refreshHint: 0 }), options));
  }
  const text = [...members].map(([name, document]) => `${JSON.stringify(name)}:${document}`);
  return `{"trust_domains":{${text.join(',')}}}`;
}

/** A name and not an ID: `spiffe://` in front would be a second spelling of the key (BMAP-06). */
function requireName(name: string): TrustDomain {
  try {
    return TrustDomain.parse(name);
  } catch (cause) {
    throw new SpiffeError('invalid-bundle', 'a key of the bundle map is no trust domain name', {
      rule: 'BMAP-06',
      cause,
    });
  }
}

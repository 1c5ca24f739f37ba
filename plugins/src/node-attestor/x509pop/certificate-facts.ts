import { createHash } from 'node:crypto';
import { dedupeSelectors, type Selector } from '@steeple/core';
import type { Certificate, TrustDomain } from '@steeple/spiffe';
import type { TemplateFacts, TemplateFields } from '../agent-path-template.ts';

const TYPE = 'x509pop';

/** What a path template may name. */
export const PATH_FIELDS: TemplateFields = {
  PluginName: 'text',
  TrustDomain: 'text',
  Fingerprint: 'text',
  SerialNumberHex: 'text',
  SerialNumber: 'text',
  Subject: { CommonName: 'text' },
  DNSNames: 'text',
  SVIDPathTrimmed: 'path',
  URISanSelectors: 'map',
};

/** `svidPathTrimmed`: mode `spiffe` only, the SVID's path without the prefix. */
export function pathFacts(leaf: Certificate, trustDomain: TrustDomain, svidPathTrimmed: string): TemplateFacts {
  return {
    PluginName: TYPE,
    TrustDomain: trustDomain.name,
    Fingerprint: fingerprintOf(leaf),
    SerialNumberHex: leaf.serialHex,
    SerialNumber: BigInt(leaf.serialDecimal),
    Subject: { CommonName: leaf.commonName },
    DNSNames: leaf.dnsSans,
    SVIDPathTrimmed: svidPathTrimmed,
    URISanSelectors: Object.fromEntries(uriSanSelectors(leaf, trustDomain)),
  };
}

/** SHA-1 of the DER in lower-case hex: a name SPIRE gives to certificates, not a protection. */
function fingerprintOf(certificate: Certificate): string {
  return createHash('sha1').update(certificate.raw).digest('hex');
}

/** Key and value of each URI SAN `x509pop://<trust domain>/<key>/<value>`; those of other trust domains say nothing. */
function uriSanSelectors(leaf: Certificate, trustDomain: TrustDomain): ReadonlyMap<string, string> {
  const prefix = `${TYPE}://${trustDomain.name}/`;
  const pairs = new Map<string, string>();
  for (const uri of leaf.uriSans) {
    const path = uri.startsWith(prefix) ? decoded(uri.slice(prefix.length).replace(/[?#].*$/s, '')) : undefined;
    const [key, ...value] = path?.replaceAll(/^\/+|\/+$/g, '').split('/') ?? [];
    if (key !== undefined && value.length > 0) pairs.set(key, value.join('/'));
  }
  return pairs;
}

/** Undefined for what is no text, or would forge lines of a log. */
function decoded(path: string): string | undefined {
  try {
    const text = decodeURIComponent(path);
    return /\p{C}/u.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

/** What the certificate says of the node. `chains`: each leaf first. */
export function nodeSelectors(
  leaf: Certificate,
  chains: readonly (readonly Certificate[])[],
  trustDomain: TrustDomain,
): readonly Selector[] {
  const authorities = chains.flatMap((chain) => chain.slice(1));
  const values = [
    ...(leaf.commonName ? [`subject:cn:${leaf.commonName}`] : []),
    ...authorities.map((authority) => `ca:fingerprint:${fingerprintOf(authority)}`),
    `serialnumber:${leaf.serialHex}`,
    ...[...uriSanSelectors(leaf, trustDomain)].map(([key, value]) => `san:${key}:${value}`),
  ];
  return dedupeSelectors(values.map((value) => ({ type: TYPE, value })));
}

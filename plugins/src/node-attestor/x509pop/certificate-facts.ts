import { createHash } from 'node:crypto';
import { dedupeSelectors, type Selector } from '@steeple/core';
import type { Certificate, TrustDomain } from '@steeple/spiffe';

const TYPE = 'x509pop';

/** SHA-1 of the DER in lower-case hex: a name SPIRE gives to certificates, not a protection. */
export function fingerprintOf(certificate: Certificate): string {
  return createHash('sha1').update(certificate.raw).digest('hex');
}

/** Key and value of each URI SAN `x509pop://<trust domain>/<key>/<value>`; those of other trust domains say nothing. */
export function uriSanSelectors(leaf: Certificate, trustDomain: TrustDomain): ReadonlyMap<string, string> {
  const prefix = `${TYPE}://${trustDomain.name}/`;
  const pairs = new Map<string, string>();
  for (const uri of leaf.uriSans) {
    if (!uri.startsWith(prefix)) continue;
    const [key, ...value] = uri.slice(prefix.length).split('/');
    if (key !== undefined && key !== '' && value.join('/') !== '') pairs.set(key, value.join('/'));
  }
  return pairs;
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

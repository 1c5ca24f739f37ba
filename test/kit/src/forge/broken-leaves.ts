import { CLIENT_AUTH, type ForgeOptions, SERVER_AUTH } from './forge-certificate.ts';

/** A leaf as an issuer should make it, to be broken in one place at a time. Times are Unix seconds. */
export function goodLeaf(id: string, now: number): ForgeOptions {
  return {
    uris: [id],
    ca: false,
    keyUsage: ['digitalSignature'],
    extKeyUsage: [SERVER_AUTH, CLIENT_AUTH],
    notBefore: now - 60,
    notAfter: now + 3600,
  };
}

/** A root as a trust domain should have it. */
export function goodRoot(trustDomain: string, now: number): ForgeOptions {
  return {
    commonName: `${trustDomain} root`,
    uris: [`spiffe://${trustDomain}`],
    ca: true,
    keyUsage: ['keyCertSign', 'cRLSign'],
    notBefore: now - 60,
    notAfter: now + 86_400,
  };
}

/** Leaves that break exactly one rule each, by name; every verifier must refuse every one of them. */
export function brokenLeaves(trustDomain: string, now: number): Readonly<Record<string, ForgeOptions>> {
  const good = goodLeaf(`spiffe://${trustDomain}/workload`, now);
  return {
    'no URI SAN': { ...good, uris: [], dnsNames: ['workload.test'] },
    'the same URI SAN twice': {
      ...good,
      uris: [`spiffe://${trustDomain}/workload`, `spiffe://${trustDomain}/workload`],
    },
    'a second URI SAN of another scheme': { ...good, uris: [`spiffe://${trustDomain}/workload`, 'https://web.test/'] },
    'the ID of the trust domain itself': { ...good, uris: [`spiffe://${trustDomain}`] },
    'a scheme that is almost spiffe': { ...good, uris: [`sparfe://${trustDomain}/workload`] },
    'a scheme in upper case': { ...good, uris: [`SPIFFE://${trustDomain}/workload`] },
    'a query in the ID': { ...good, uris: [`spiffe://${trustDomain}/workload?a=b`] },
    'a trailing slash in the ID': { ...good, uris: [`spiffe://${trustDomain}/workload/`] },
    'a CA certificate as leaf': { ...good, ca: true },
    'key usage keyCertSign': { ...good, keyUsage: ['digitalSignature', 'keyCertSign'] },
    'key usage cRLSign': { ...good, keyUsage: ['digitalSignature', 'cRLSign'] },
    'key usage without digitalSignature': { ...good, keyUsage: ['keyAgreement'] },
    'no key usage': { ...good, keyUsage: undefined },
    'an unknown critical extension': {
      ...good,
      extensions: [{ oid: '1.2.3.4.5', critical: true, value: Uint8Array.of(5, 0) }],
    },
    expired: { ...good, notBefore: now - 7200, notAfter: now - 3600 },
    'not yet valid': { ...good, notBefore: now + 3600, notAfter: now + 7200 },
  };
}

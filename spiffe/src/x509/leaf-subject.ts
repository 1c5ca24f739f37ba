import { encodeName } from './name.ts';

const DEFAULT_SUBJECT = encodeName({ country: ['US'], organization: ['SPIRE'] });

/** The subject of a leaf for which nothing else is asked: C=US, O=SPIRE, and the first DNS name as common name. */
export function defaultLeafSubject(dnsNames: readonly string[]): Uint8Array {
  const [commonName] = dnsNames;
  return commonName === undefined
    ? DEFAULT_SUBJECT
    : encodeName({ country: ['US'], organization: ['SPIRE'], commonName });
}

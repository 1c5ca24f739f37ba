import { createPublicKey, type JsonWebKey } from 'node:crypto';
import {
  formatBundleDocument,
  generateKey,
  parseBundleDocument,
  parseCertificate,
  publicKeyFromSpki,
  SpiffeError,
  spkiOf,
  TrustBundle,
  TrustDomain,
  tokenAuthority,
} from '@steeple/spiffe';
import { mutateBytes } from '../mutate-bytes.ts';
import { ACCEPTED, attempt, Finding, type Target, takes } from '../target.ts';
import { certificateSamples } from './x509-samples.ts';

const trustDomain = TrustDomain.parse('a.test');
const authority = (kid: string, type: 'ec-p256' | 'rsa-2048') =>
  tokenAuthority(kid, publicKeyFromSpki(spkiOf(generateKey(type))));
const roots = certificateSamples.slice(0, 1).map((raw) => ({ certificate: parseCertificate(raw), tainted: false }));

const SAMPLES = [
  TrustBundle.of(trustDomain, { x509Authorities: roots, sequence: 12n, refreshHint: 300 }),
  TrustBundle.of(trustDomain, {
    x509Authorities: roots,
    jwtAuthorities: [authority('a', 'ec-p256'), authority('b', 'rsa-2048')],
    witAuthorities: [authority('c', 'ec-p256')],
  }),
].map((bundle) => Buffer.from(formatBundleDocument(bundle, { wit: true })));
const WORDS = [
  '"use":"jwt-svid",',
  '"use":"x509-svid",',
  '"kid":"a",',
  '"x5c":[',
  '"kty":"EC",',
  '"crv":"P-384",',
  '"d":"AA",',
  'null',
  '-1',
  '1e3',
  '{',
  '}',
];

/** Held against itself written out and read again, and its keys against OpenSSL. */
export const bundleDocument: Target = {
  name: 'bundle document',
  share: 0.06,
  stricter: [],
  make: (random) => mutateBytes(SAMPLES, WORDS, random),
  judge(input, random) {
    const read = attempt(() => parseBundleDocument(trustDomain, input), SpiffeError);
    if ('refusal' in read) return { accepted: false, refusal: read.refusal };
    if (!random.once(5)) return ACCEPTED;
    const again = parseBundleDocument(trustDomain, formatBundleDocument(read.value, { wit: true }));
    if (!again.equals(read.value)) throw new Finding('its own document reads differently');
    const { keys } = JSON.parse(formatBundleDocument(read.value, { wit: true })) as { keys: JsonWebKey[] };
    for (const jwk of keys) {
      if (!takes(() => createPublicKey({ key: jwk, format: 'jwk' }))) throw new Finding('accepted a key that is none');
    }
    return ACCEPTED;
  },
};

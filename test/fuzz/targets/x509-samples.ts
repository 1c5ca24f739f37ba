import { generateKey, localSigner, makeCsr } from '@steeple/spiffe';
import { dnsName, forge, forgeCa, nameConstraints, uriName } from '../../../spiffe/src/testing/forge-certificate.ts';

/** The key that signs every request, so that a changed one can be signed again. */
export const requestKey = generateKey('ec-p256');
const root = forgeCa('root', { uris: ['spiffe://a.test'] });
const constrained = forgeCa('below', { by: root, more: [nameConstraints([uriName('a.test')], [dnsName('b.test')])] });

/** Certificates of every shape that the project issues or meets. */
export const certificateSamples: readonly Uint8Array[] = [
  root,
  constrained,
  forge({ by: root }),
  forge({
    by: root,
    names: [dnsName('x.a.test'), dnsName('*.a.test')],
    keyUsage: undefined,
    basicConstraints: undefined,
  }),
  forge({ key: generateKey('ec-p384'), subject: 'Ünï' }),
  forge({ key: generateKey('rsa-2048') }),
  forge({ key: generateKey('ed25519') }),
].map(({ certificate }) => certificate.raw);

export const requestSamples: readonly Uint8Array[] = await Promise.all(
  [
    {},
    { uri: 'spiffe://a.test/x' },
    { uri: 'spiffe://a.test/x', dnsNames: ['x.test', '*.y.test'], subject: { country: ['US'], commonName: 'Ünï' } },
  ].map((content) => makeCsr(localSigner(requestKey), content)),
);

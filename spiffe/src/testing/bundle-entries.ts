import { Buffer } from 'node:buffer';
import { publicJwk } from '../jwt/jwk.ts';
import type { Certificate } from '../x509/certificate.ts';
import { testCertificate } from './test-ca.ts';
import { TEST_KEYS, type TestKey } from './test-keys.ts';

/** How a vector file describes one entry of `keys`. */
export interface EntrySpec {
  /** Kind and key of a good entry. */
  readonly base?: string;
  /** The whole entry as it is. */
  readonly raw?: unknown;
  readonly set?: Readonly<Record<string, unknown>>;
  readonly drop?: readonly string[];
  /** Another spelling of the certificate, the certificate of another key, or a second value. */
  readonly x5c?: string;
  readonly x5cOf?: TestKey;
  readonly alsoX5c?: string;
}

const CA_KEYS: readonly TestKey[] = ['p256', 'p384', 'rsa'];

/** CA certificates over the test keys, and three that are special, all by the independent library. */
export async function testAuthorities() {
  const roots = new Map<string, Certificate>();
  for (const key of CA_KEYS) roots.set(`x509 ${key}`, await testCertificate(key));
  roots.set('leaf p384', await testCertificate('p384', { ca: false }));
  roots.set('expired p384', await testCertificate('p384', { notAfter: 1_100_000_000 }));
  roots.set('slash p384', await testCertificate('p384', { uri: 'spiffe://a.test/' }));
  return roots;
}

/** The entry a vector describes. */
export function entryOf(spec: EntrySpec, roots: ReadonlyMap<string, Certificate>): unknown {
  if (spec.base === undefined) return spec.raw;
  const [kind = '', key = ''] = spec.base.split(' ');
  const jwk = publicJwk(TEST_KEYS[key as TestKey].publicKey);
  const root = roots.get(spec.x5cOf === undefined ? spec.base : `x509 ${spec.x5cOf}`);
  const own =
    root === undefined ? { use: `${kind}-svid`, kid: key } : { use: 'x509-svid', x5c: certificates(root, spec, roots) };
  const members = Object.entries({ ...jwk, ...own, ...spec.set });
  return Object.fromEntries(members.filter(([name]) => spec.drop?.includes(name) !== true));
}

function certificates(root: Certificate, spec: EntrySpec, roots: ReadonlyMap<string, Certificate>): string[] {
  const der = Buffer.from(root.raw);
  const text = der.toString('base64');
  const spellings: Record<string, string> = {
    base64url: der.toString('base64url'),
    'line breaks': text.replaceAll(/.{64}/g, '$&\n'),
    PEM: `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----`,
    'trailing junk': Buffer.concat([der, Buffer.of(0)]).toString('base64'),
    'no padding': `${text.replace(/=+$/, '')}A`,
  };
  const first = spec.x5c === undefined ? text : (spellings[spec.x5c] ?? '');
  if (spec.alsoX5c === undefined) return [first];
  const second = roots.get(`x509 ${spec.alsoX5c}`);
  return [first, second === undefined ? spec.alsoX5c : Buffer.from(second.raw).toString('base64')];
}

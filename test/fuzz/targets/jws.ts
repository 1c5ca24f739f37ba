import { createECDH, createHash, createPrivateKey, type KeyObject, sign } from 'node:crypto';
import {
  BundleSet,
  publicKeyFromSpki,
  SpiffeError,
  spkiOf,
  TrustBundle,
  TrustDomain,
  tokenAuthority,
  verifyJwtSvid,
} from '@steeple/spiffe';
import { jwtVerify } from 'jose';
import { mutateBytes } from '../mutate-bytes.ts';
import type { Random } from '../random.ts';
import { attempt, Finding, type Target, type Verdict } from '../target.ts';

const NOW = 1_800_000_000;
// Made from a text, so that a finding of an earlier run can be judged again. It guards nothing.
const key = keyFromText('fuzz');
const publicKey = publicKeyFromSpki(spkiOf(key));
const trustDomain = TrustDomain.parse('a.test');
const bundles = BundleSet.of(TrustBundle.of(trustDomain, { jwtAuthorities: [tokenAuthority('k', publicKey)] }));

const signed = (header: Uint8Array | string, claims: Uint8Array | string): string => {
  const text = `${encode(header)}.${encode(claims)}`;
  return `${text}.${encode(sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }))}`;
};

const HEADERS = ['{"alg":"ES256","kid":"k","typ":"JWT"}', '{"alg":"ES256"}'].map((text) => Buffer.from(text));
const CLAIMS = [
  `{"sub":"spiffe://a.test/x","aud":["me"],"exp":${NOW + 300},"iat":${NOW}}`,
  `{"sub":"spiffe://a.test/x","aud":"me","exp":${NOW + 300}.5,"nbf":${NOW - 5},"jti":"\\u00e9","n":[1,{"x":null}]}`,
].map((text) => Buffer.from(text));
const TOKENS = HEADERS.flatMap((header) => CLAIMS.map((claims) => Buffer.from(signed(header, claims))));
const WORDS = [
  '"alg":"none",',
  '"crit":["x"],',
  '"b64":false,',
  '"aud":',
  '"exp":',
  '1e10',
  '.',
  '=',
  '\n',
  '-',
  '"me"',
  '[',
  '{',
];

async function joseTakes(token: string): Promise<Record<string, unknown> | undefined> {
  try {
    const verified = await jwtVerify(token, publicKey, {
      audience: 'me',
      algorithms: ['ES256'],
      currentDate: new Date(NOW * 1000),
      clockTolerance: 60,
      requiredClaims: ['exp'],
    });
    return verified.payload;
  } catch {
    return undefined;
  }
}

/** Against jose, which knows JWT but not JWT-SVID. */
export const jws: Target = {
  name: 'JWS of tokens',
  share: 0.06,
  stricter: [
    ['JWT-SVID: the subject is no SPIFFE ID', 'JWT-SVID section 3.1'],
    ['JWT-SVID: no subject', 'JWT-SVID section 3.1'],
    ['JWT-SVID: the subject is a whole trust domain', 'no workload'],
    ['JWT-SVID: no bundle for trust domain', 'the subject chooses the keys'],
    ['JWT-SVID: a header parameter is not allowed', 'JWT-SVID section 2'],
    ['JWT-SVID: the type is not allowed', 'JWT-SVID section 2.3'],
    ['JWT-SVID: the key id is no text', 'RFC 7515 section 4.1.4'],
    ['JWT-SVID: not signed by a known key', 'the key id chooses the key; the oracle is given it'],
    ['JWT-SVID: a part is no JSON object', 'one meaning per text: a repeated member, a number beyond a double'],
    ['JWT-SVID: no audience', 'an audience that is no text among others'],
    ['JWT-SVID: a part is not base64url', 'one spelling per token: no bits that encode nothing'],
  ],
  make(random: Random) {
    if (random.once(3)) return mutateBytes(TOKENS, WORDS, random);
    const header = random.once(2) ? random.pick(HEADERS) : mutateBytes(HEADERS, WORDS, random);
    return Buffer.from(signed(header, mutateBytes(CLAIMS, WORDS, random)));
  },
  judge(input, random): Verdict | Promise<Verdict> {
    const token = Buffer.from(input).toString('latin1');
    const read = attempt(() => verifyJwtSvid(token, bundles, ['me'], { now: NOW }), SpiffeError);
    const accepted = 'value' in read;
    const verdict: Verdict = { accepted, ...('refusal' in read && { refusal: read.refusal }) };
    if (!random.once(accepted ? 5 : 50)) return verdict;
    return joseTakes(token).then((payload) => {
      if (accepted && payload !== undefined && payload['sub'] !== read.value.id.toString()) {
        throw new Finding('another subject');
      }
      return { ...verdict, oracle: payload !== undefined };
    });
  },
};

function encode(bytes: Uint8Array | string): string {
  return Buffer.from(bytes).toString('base64url');
}

function keyFromText(text: string): KeyObject {
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(createHash('sha256').update(text).digest());
  const point = ecdh.getPublicKey();
  const [x, y] = [encode(point.subarray(1, 33)), encode(point.subarray(33))];
  return createPrivateKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', d: encode(ecdh.getPrivateKey()), x, y } });
}

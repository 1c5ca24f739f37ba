// Tokens of a federated trust domain, forged in every way, at ValidateJWTSVID of a real agent.
import { createPublicKey } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { Code } from '@steeple/proto/grpc';
import { formatBundleDocument, TrustBundle, TrustDomain, tokenAuthority } from '@steeple/spiffe';
import { forgeToken, spoilSignature } from '@steeple/test-kit';
import { beforeAll, expect, it } from 'vitest';
import { createEntry, HEADER, messageThat, reader, STREAM, stackWorld, statusOf } from './stack-world.ts';
import { type Changes, jwt, KEYS, signatureFor } from './token-world.ts';

const world = stackWorld();
const now = Math.floor(Date.now() / 1000);
const validate = (svid: string, audience = 'y') => world.workload.validateJWTSVID({ svid, audience }, HEADER);
const SUBJECT = 'spiffe://b.test/x';
const CLAIMS = { sub: SUBJECT, aud: 'y', exp: now + 3600, iat: now };
/** A good token of b.test with changes. */
const token = ({ header, claims, sign }: Changes = {}, key = KEYS.p256) =>
  jwt(
    {
      ...(header === undefined ? {} : { header }),
      claims: { ...CLAIMS, ...claims },
      ...(sign === undefined ? {} : { sign }),
    },
    key,
  );

beforeAll(async () => {
  const authorities = (['p256', 'p384', 'rsa'] as const).map((name) =>
    tokenAuthority(name, createPublicKey(KEYS[name])),
  );
  const document = formatBundleDocument(TrustBundle.of(TrustDomain.parse('b.test'), { jwtAuthorities: authorities }));
  const file = `${world.stack.dir}/b.json`;
  await writeFile(file, document);
  await world.stack.cli(['bundle', 'set', 'b.test', '--format', 'spiffe', '--path', file]);
  await createEntry(world, { path: '/x', federatesWith: ['b.test'] });
  const stream = reader(world.workload.fetchJWTBundles({}, STREAM));
  await messageThat(stream, ({ bundles }) => bundles['spiffe://b.test'] !== undefined);
  await stream.return?.();
});

it('[WAPI-46] [WAPI-47] [WAPI-48] accepts a good token of a federated trust domain', async () => {
  const { spiffeId, claims } = await validate(token());
  expect(spiffeId).toBe(SUBJECT);
  expect(claims).toMatchObject({ sub: SUBJECT, aud: ['y'], exp: now + 3600 });
  for (const good of [
    token({ header: { typ: 'JOSE' } }),
    token({ header: { typ: undefined } }),
    token({ header: { alg: 'PS512', kid: 'rsa' } }, KEYS.rsa),
  ])
    expect(await statusOf(validate(good))).toBe(0);
});

const header = (changes: Record<string, unknown>) => token({ header: changes });
const claims = (changes: Record<string, unknown>) => token({ claims: changes });
const [head = '', body = '', signature = ''] = token().split('.');
const signed = signatureFor('ES256', KEYS.p256);
const FORGED: Record<string, readonly string[]> = {
  'JWT-01': [JSON.stringify({ payload: body, protected: head, signature })],
  'JWT-03': [`${token()}..`],
  'JWT-05': [
    token({ header: { alg: 'none' }, sign: { none: true } }),
    ...['EdDSA', 'es256', '', undefined].map((alg) => header({ alg })),
  ],
  'JWT-07': ['jwt', 'at+jwt', 'wit+jwt', '', 1].map((typ) => header({ typ })),
  'JWT-08': [undefined, '', 1, 'x', 'spiffe://b.test/'].map((sub) => claims({ sub })),
  'JWT-10': [undefined, [], '', ['x'], 'yy'].map((aud) => claims({ aud })),
  'JWT-13': [claims({ exp: undefined })],
  'JWT-15': [now - 600, '1893456000', null, [1]].map((exp) => claims({ exp })),
  'JWT-17': [`${head}.${body}`, `${token()}==`, `${head}.${body.slice(0, 4)}\n${body.slice(4)}.${signature}`],
  'JWT-25': [token({}, KEYS.stranger), spoilSignature(token()), token({ header: { alg: 'RS256' } }, KEYS.rsa)],
  'JWT-H1': [{ x: 1 }, { crit: ['x'] }, { jku: 'https://b.test' }].map(header),
  'JWT-H2': [claims({ nbf: now + 3600 }), forgeToken({ alg: 'ES256', kid: 'p256' }, '[]', signed)],
  'JWT-H3': [claims({ sub: 'spiffe://b.test' })],
  'WAPI-50': [claims({ sub: 'spiffe://a.test/x' }), claims({ sub: 'spiffe://c.test/x' })],
};

it.each(Object.entries(FORGED))('[WAPI-46] refuses what breaks %s', async (_row, tokens) => {
  const codes = await Promise.all(tokens.map((one) => statusOf(validate(one))));
  expect(codes).toEqual(tokens.map(() => Code.INVALID_ARGUMENT));
});

import { createHmac, generateKeyPairSync } from 'node:crypto';
import { SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { readForeignToken } from './foreign-token.ts';
import { encodeJson } from './sign-compact-jws.ts';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const part = (value: object) => encodeJson({ ...value });

describe('readForeignToken', () => {
  it('knows by which key a token is signed', async () => {
    const byRsa = readForeignToken(
      await new SignJWT({ sub: 'a' }).setProtectedHeader({ alg: 'RS256', kid: 'k' }).sign(rsa.privateKey),
    );
    expect(byRsa).toMatchObject({ kid: 'k', claims: { sub: 'a' } });
    expect(byRsa.isSignedBy(rsa.publicKey)).toBe(true);
    expect(byRsa.isSignedBy(ec.publicKey)).toBe(false);
    const byEc = await new SignJWT({}).setProtectedHeader({ alg: 'ES256' }).sign(ec.privateKey);
    expect(readForeignToken(byEc).isSignedBy(ec.publicKey)).toBe(true);
    const changed = byEc.replace(/\.[^.]*\./, `.${part({ sub: 'other' })}.`);
    expect(readForeignToken(changed).isSignedBy(ec.publicKey)).toBe(false);
  });

  it.each([
    ['nothing', ''],
    ['two parts', 'a.b'],
    ['no signature', `${part({ alg: 'none' })}.${part({})}.`],
    ['no algorithm', `${part({})}.${part({})}.AAAA`],
    ['a symmetric one', hmac({ alg: 'HS256' })],
    ['a strange key id', `${part({ alg: 'RS256', kid: 1 })}.${part({})}.AAAA`],
    ['a critical header', `${part({ alg: 'RS256', crit: ['b64'] })}.${part({})}.AAAA`],
    ['claims that are a list', `${part({ alg: 'RS256' })}.W10.AAAA`],
    ['too much', 'a'.repeat(70_000)],
  ])('refuses %s', (_name, token) => {
    expect(() => readForeignToken(token)).toThrow(expect.objectContaining({ code: 'invalid-token' }));
  });
});

/** Signed with the public key as if it were a secret. */
function hmac(header: object): string {
  const text = `${part(header)}.${part({})}`;
  const secret = rsa.publicKey.export({ type: 'spki', format: 'pem' });
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

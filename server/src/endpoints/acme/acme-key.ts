import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { generateKey } from '@steeple/spiffe';

/** The key of an ACME account: P-256, signing with ES256 (RFC 8555 section 6.2). */
export class AcmeKey {
  readonly #key: KeyObject;
  /** The public key, members in the order of their thumbprint. */
  readonly jwk: Readonly<Record<'crv' | 'kty' | 'x' | 'y', string>>;

  constructor(key: KeyObject = generateKey('ec-p256')) {
    const { crv = '', kty = '', x = '', y = '' } = createPublicKey(key).export({ format: 'jwk' });
    this.#key = key;
    this.jwk = { crv, kty, x, y };
  }

  static fromPem(pem: string): AcmeKey {
    return new AcmeKey(createPrivateKey(pem));
  }

  toPem(): string {
    return this.#key.export({ type: 'pkcs8', format: 'pem' }).toString();
  }

  /** What a challenge is answered with (RFC 8555 section 8.1). */
  authorization(token: string): string {
    const thumbprint = createHash('sha256').update(JSON.stringify(this.jwk)).digest('base64url');
    return `${token}.${thumbprint}`;
  }

  /** A flattened JWS over a payload; undefined is the empty payload of "POST as GET". */
  sign(header: object, payload: object | undefined): string {
    const protectedPart = base64url(JSON.stringify({ alg: 'ES256', ...header }));
    const payloadPart = payload === undefined ? '' : base64url(JSON.stringify(payload));
    const signature = sign('sha256', Buffer.from(`${protectedPart}.${payloadPart}`), {
      key: this.#key,
      dsaEncoding: 'ieee-p1363',
    });
    return JSON.stringify({
      protected: protectedPart,
      payload: payloadPart,
      signature: signature.toString('base64url'),
    });
  }
}

const base64url = (text: string): string => Buffer.from(text).toString('base64url');

import { encodeBase64 } from '../encoding/base64.ts';
import { type Jwk, publicJwk } from '../jwt/jwk.ts';
import type { KeyUse } from './key-set.ts';
import type { TokenAuthority } from './token-authority.ts';
import type { X509Authority } from './x509-authority.ts';

/** A root as JWK: one certificate, no `kid` (X509-33 to X509-36). */
export function rootJwk({ certificate }: X509Authority): Jwk {
  return { use: 'x509-svid', ...publicJwk(certificate.publicKey), x5c: [encodeBase64(certificate.raw)] };
}

/** A token key as JWK with its `kid` (JWT-20, JWT-21, WIT-32, WIT-33); `use` only where the document has it. */
export function tokenJwk({ kid, publicKey }: TokenAuthority, use?: KeyUse): Jwk {
  return { ...(use === undefined ? undefined : { use }), ...publicJwk(publicKey), kid };
}

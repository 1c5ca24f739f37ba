import { type AuthorityKind, IssuerError } from '@steeple/core';
import type { Certificate, JwtSigner, X509Issuer } from '@steeple/spiffe';

/** A key that signs tokens now. */
export interface TokenIssuer {
  readonly key: JwtSigner;
  /** Unix seconds; nothing signed may live longer. */
  readonly notAfter: number;
}

/**
 * The authorities that sign at this moment. The rotation puts them here once they are journalled and published; who
 * signs takes them from here at every signature, so a new one is used from then on.
 */
export class ActiveAuthorities {
  #x509: X509Issuer | undefined;
  #x509Root: Certificate | undefined;
  readonly #tokens: { jwt: TokenIssuer | undefined; wit: TokenIssuer | undefined } = { jwt: undefined, wit: undefined };

  /** @throws {IssuerError} `unavailable` before the first activation */
  x509(): X509Issuer {
    return this.#x509 ?? initializing('x509');
  }

  /** What the X.509 authority stands on: itself, or a root above. @throws {IssuerError} `unavailable` */
  x509Root(): Certificate {
    return this.#x509Root ?? initializing('x509');
  }

  /** @throws {IssuerError} `unavailable` before the first activation */
  jwt(): TokenIssuer {
    return this.#tokens.jwt ?? initializing('jwt');
  }

  /** @throws {IssuerError} `unavailable` before the first activation */
  wit(): TokenIssuer {
    return this.#tokens.wit ?? initializing('wit');
  }

  /** Whether certificates can be signed. */
  get ready(): boolean {
    return this.#x509 !== undefined;
  }

  activateX509(issuer: X509Issuer, root: Certificate): void {
    this.#x509 = issuer;
    this.#x509Root = root;
  }

  activateToken(kind: 'jwt' | 'wit', issuer: TokenIssuer): void {
    this.#tokens[kind] = issuer;
  }
}

const initializing = (kind: AuthorityKind): never => {
  throw new IssuerError('unavailable', `server is initializing: no ${kind} authority yet`);
};

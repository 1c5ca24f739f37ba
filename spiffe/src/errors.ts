/**
 * What can be wrong with an identity document, key or bundle. The union is closed: a `switch` on {@link SpiffeError.code}
 * is exhaustive.
 */
export type SpiffeErrorCode =
  | 'invalid-id'
  | 'invalid-trust-domain'
  | 'unsupported-key'
  | 'malformed-der'
  | 'invalid-certificate'
  | 'invalid-csr'
  | 'invalid-crl'
  | 'invalid-svid'
  | 'untrusted'
  | 'expired'
  | 'not-yet-valid'
  | 'revoked'
  | 'wrong-audience'
  | 'invalid-token'
  | 'invalid-proof'
  | 'malformed-json'
  | 'invalid-bundle'
  | 'no-bundle';

/** Details of a {@link SpiffeError}, all optional. */
export interface SpiffeErrorOptions {
  /** Row of the conformance table that was broken, such as `X509-30`. */
  readonly rule?: string;
  /** Finer reason within one code; for `invalid-csr` it is `malformed` or `signature`. */
  readonly reason?: string;
  readonly cause?: unknown;
}

/**
 * The one error of this package: input from outside broke a rule. Misuse by the programmer stays a `TypeError`. Messages
 * name the rule, never a key, a token or the body of a request.
 */
export class SpiffeError extends Error {
  override readonly name = 'SpiffeError';
  readonly code: SpiffeErrorCode;
  readonly rule: string | undefined;
  readonly reason: string | undefined;

  constructor(code: SpiffeErrorCode, message: string, options: SpiffeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.rule = options.rule;
    this.reason = options.reason;
  }
}

import { ClientError, type ClientErrorCode } from '../errors.ts';

/** The statuses a refusal has; 503: we cannot judge at the moment, which is no fault of the caller. */
type RefusalStatus = 400 | 401 | 403 | 503;

/**
 * A request whose sender is not known or not allowed. `message` is for the sender and names no token and no secret; the
 * reason in detail is the `cause`, for the log.
 */
export class RequestRefused extends ClientError {
  readonly status: RefusalStatus;
  /** To be sent with the response. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: RefusalStatus,
    code: ClientErrorCode,
    message: string,
    options: ErrorOptions & { readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(code, message, options);
    this.name = 'RequestRefused';
    this.status = status;
    this.headers = options.headers ?? {};
  }
}

/** 403 unless the identity is welcome; any failure of the authorizer refuses. */
export function requireAuthorized(authorize: () => void): void {
  try {
    authorize();
  } catch (cause) {
    throw new RequestRefused(403, 'unauthorized-peer', 'this identity is not allowed here', { cause });
  }
}

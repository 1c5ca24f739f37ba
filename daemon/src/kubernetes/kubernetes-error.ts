/**
 * - `access`: this process has no usable way to the cluster (a missing file, a broken kubeconfig)
 * - `unreachable`: no connection, or none that is trusted, or no answer in time
 * - `answer`: the API answered something that is no answer
 * - `status`: the API refused; `status` and `reason` say why
 */
export type KubernetesErrorCode = 'access' | 'unreachable' | 'answer' | 'status';

/** The Kubernetes API did not do what was asked. Holds neither tokens nor keys. */
export class KubernetesError extends Error {
  readonly code: KubernetesErrorCode;
  /** Of HTTP, if the API gave one: 404, 409, 410… */
  readonly status: number | undefined;
  /** The API's word for it, such as `NotFound`, `AlreadyExists`, `Conflict` or `Expired`. */
  readonly reason: string | undefined;

  constructor(
    code: KubernetesErrorCode,
    message: string,
    options: { readonly status?: number; readonly reason?: string | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'KubernetesError';
    this.code = code;
    this.status = options.status;
    this.reason = options.reason;
  }
}

/** Whether an error is the API's own refusal with this status. */
export function hasStatus(error: unknown, status: number): boolean {
  return error instanceof KubernetesError && error.status === status;
}

/**
 * What went wrong, as a closed set a caller can switch on:
 *
 * - `no-endpoint`, `invalid-endpoint`: the Workload API address is absent or not allowed
 * - `no-peer-certificate`, `untrusted-peer`, `unauthorized-peer`, `resumed-session`, `wrong-protocol`: a TLS peer was refused
 * - `no-credential`, `invalid-credential`: the sender of a request is not known
 * - `no-svid`, `no-bundle`, `no-hint`: nothing to give at the moment (not issued, withdrawn, or no such hint)
 * - `invalid-response`: the Workload API sent a message that breaks the standard
 * - `timeout`, `closed`: waited long enough, or the source is disposed
 */
export type ClientErrorCode =
  | 'no-endpoint'
  | 'invalid-endpoint'
  | 'no-peer-certificate'
  | 'untrusted-peer'
  | 'unauthorized-peer'
  | 'resumed-session'
  | 'wrong-protocol'
  | 'no-credential'
  | 'invalid-credential'
  | 'no-svid'
  | 'no-bundle'
  | 'no-hint'
  | 'invalid-response'
  | 'timeout'
  | 'closed';

/** Every failure this library itself reports; gRPC failures of the Workload API arrive as `GrpcError`. */
export class ClientError extends Error {
  readonly code: ClientErrorCode;

  constructor(code: ClientErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ClientError';
    this.code = code;
  }
}

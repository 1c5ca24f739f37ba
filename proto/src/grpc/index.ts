// How protobuf-es messages meet grpc-js: serving, calling, statuses.
export { aborted, orAborted } from './abort.ts';
export { type BackoffShape, backoff } from './backoff.ts';
export { type CallOptions, type ClientSettings, createClient, type ServiceClient } from './call.ts';
export { Code, type ErrorCode, errorCodeOf, statusName } from './code.ts';
export { type CallContext, type CallSlot, callSlot, hasExactly } from './context.ts';
export { Encoded } from './encoded.ts';
export type { BidiHandler, ClientStreamHandler, Handlers, ServerStreamHandler, UnaryHandler } from './handlers.ts';
export { HealthState, healthHandlers } from './health.ts';
export type { Middleware, MiddlewareCall } from './middleware.ts';
export { type OpenCall, OpenCalls } from './open-calls.ts';
export { reflectionHandlers } from './reflection.ts';
export { heedRetryInfo, retryInfo } from './retry-info.ts';
export { type ServeOptions, type ServiceImplementation, serviceImplementation } from './serve.ts';
export { methodPath } from './service.ts';
export {
  findDetail,
  fromServiceError,
  GrpcError,
  packDetail,
  readStatusDetails,
  type StatusDetail,
} from './status.ts';

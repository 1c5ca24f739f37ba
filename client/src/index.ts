export { Code as GrpcCode, GrpcError } from '@steeple/proto/grpc';
export * from '@steeple/spiffe';
export { ENDPOINT_VARIABLE, type EndpointAddress, parseEndpointAddress, resolveEndpoint } from './endpoint-address.ts';
export { ClientError, type ClientErrorCode } from './errors.ts';
export type { ClientRim } from './rim.ts';
export { WorkloadBundleSource } from './sources/bundle-sources.ts';
export { jwtCallCredentials } from './sources/jwt-call-credentials.ts';
export { type JwtFetchOptions, JwtSource, type JwtSourceOptions } from './sources/jwt-source.ts';
export type { SourceEvents, SourceOptions } from './sources/live-source.ts';
export type { PickOptions } from './sources/pick.ts';
export { WitSource, type WitSourceOptions } from './sources/wit-source.ts';
export { X509Source, type X509SourceOptions } from './sources/x509-source.ts';
export * from './tls/index.ts';
export type { ValidatedJwtSvid } from './workload-api/read-jwt-svids.ts';
export type { X509Context } from './workload-api/read-x509-context.ts';
export type { WatchEvent } from './workload-api/watch.ts';
export {
  type JwtSvidRequest,
  type RequestOptions,
  WorkloadApiClient,
  type WorkloadApiOptions,
} from './workload-api/workload-api-client.ts';

export { Code as GrpcCode, GrpcError } from '@steeple/proto/grpc';
export * from '@steeple/spiffe';
export { ENDPOINT_VARIABLE, type EndpointAddress, parseEndpointAddress, resolveEndpoint } from './endpoint-address.ts';
export { ClientError, type ClientErrorCode } from './errors.ts';
export { type AuthorizedFetchOptions, authorizedFetch, type Fetch } from './requests/authorized-fetch.ts';
export { jwtCallVerifier, jwtRequestVerifier } from './requests/jwt-verifiers.ts';
export { ProofMemory } from './requests/proof-memory.ts';
export type { ServerRequest } from './requests/request-fields.ts';
export { RequestRefused } from './requests/request-refused.ts';
export {
  type Caller,
  callerOf,
  type Middleware,
  type RequireIdentityOptions,
  requireIdentity,
} from './requests/require-identity.ts';
export type { JwtRequestPolicy } from './requests/verify-bearer.ts';
export { type WitFetchOptions, witFetch } from './requests/wit-fetch.ts';
export { type WitRequestPolicy, witRequestVerifier } from './requests/wit-verifier.ts';
export type { ClientRim } from './rim.ts';
export { WorkloadBundleSource } from './sources/bundle-sources.ts';
export { jwtChannelCredentials } from './sources/jwt-channel-credentials.ts';
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

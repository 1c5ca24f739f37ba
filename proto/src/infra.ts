// What gRPC itself standardises: health, reflection, rich errors.

export { type ErrorInfo, ErrorInfoSchema, type RetryInfo, RetryInfoSchema } from './gen/google/rpc/error_details_pb.ts';
export { type Status, StatusSchema } from './gen/google/rpc/status_pb.ts';
export * as healthV1 from './gen/grpc/health/v1/health_pb.ts';
export * as reflectionV1 from './gen/grpc/reflection/v1/reflection_pb.ts';
export * as reflectionV1alpha from './gen/grpc/reflection/v1alpha/reflection_pb.ts';

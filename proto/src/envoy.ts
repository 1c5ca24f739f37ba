// Envoy's Secret Discovery Service, version 3.
export * from './gen/envoy/config/core/v3/base_pb.ts';
export * from './gen/envoy/extensions/transport_sockets/tls/v3/secret_pb.ts';
export * from './gen/envoy/service/discovery/v3/discovery_pb.ts';
export * from './gen/envoy/service/secret/v3/sds_pb.ts';
export * from './gen/envoy/type/v3/semantic_version_pb.ts';

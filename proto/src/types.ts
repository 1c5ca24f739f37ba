// All messages of the package spire.api.types.
export * from './gen/spire/api/types/agent_pb.ts';
export * from './gen/spire/api/types/attestation_pb.ts';
export * from './gen/spire/api/types/bundle_pb.ts';
export * from './gen/spire/api/types/entry_pb.ts';
export * from './gen/spire/api/types/federateswith_pb.ts';
export * from './gen/spire/api/types/federationrelationship_pb.ts';
export * from './gen/spire/api/types/jointoken_pb.ts';
export * from './gen/spire/api/types/jwtsvid_pb.ts';
export * from './gen/spire/api/types/logger_pb.ts';
export * from './gen/spire/api/types/selector_pb.ts';
export * from './gen/spire/api/types/spiffeid_pb.ts';
export * from './gen/spire/api/types/status_pb.ts';
export * from './gen/spire/api/types/witsvid_pb.ts';
export * from './gen/spire/api/types/x509svid_pb.ts';

// SPIRE's agent-side APIs on the admin socket, and the SPIFFE Broker API.
export * as broker from './gen/spiffe/broker/brokerapi_pb.ts';
export * as debugV1 from './gen/spire/agent/debug/v1/debug_pb.ts';
export * as delegatedidentityV1 from './gen/spire/api/agent/delegatedidentity/v1/delegatedidentity_pb.ts';
export * as loggerV1 from './gen/spire/api/agent/logger/v1/logger_pb.ts';
export * as types from './types.ts';

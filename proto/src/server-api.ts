// SPIRE's Server API, one namespace per protobuf package because their message names clash.
export * as agentV1 from './gen/spire/api/server/agent/v1/agent_pb.ts';
export * as bundleV1 from './gen/spire/api/server/bundle/v1/bundle_pb.ts';
export * as debugV1 from './gen/spire/api/server/debug/v1/debug_pb.ts';
export * as entryV1 from './gen/spire/api/server/entry/v1/entry_pb.ts';
export * as localauthorityV1 from './gen/spire/api/server/localauthority/v1/localauthority_pb.ts';
export * as loggerV1 from './gen/spire/api/server/logger/v1/logger_pb.ts';
export * as svidV1 from './gen/spire/api/server/svid/v1/svid_pb.ts';
export * as trustdomainV1 from './gen/spire/api/server/trustdomain/v1/trustdomain_pb.ts';
/** Not spoken on the wire: the JSON form of entry files and the database form of bundles. */
export * as common from './gen/spire/common/common_pb.ts';
export * as types from './types.ts';

// Our own services, for what SPIRE has no word for.
export * as rolloutV1 from './gen/steeple/rollout/v1/rollout_pb.ts';
export * as syncV1 from './gen/steeple/sync/v1/sync_pb.ts';

// Our own services, for what SPIRE has no word for.
export * as syncV1 from './gen/steeple/sync/v1/sync_pb.ts';

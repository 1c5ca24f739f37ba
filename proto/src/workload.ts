// The SPIFFE Workload API. Its service is in no protobuf package: paths are /SpiffeWorkloadAPI/<Method>.
export * from './gen/workloadapi_pb.ts';

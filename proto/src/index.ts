// The contracts are behind the other exports; most rooms want '@steeple/proto/grpc' and one of the APIs.
export * from './grpc/index.ts';

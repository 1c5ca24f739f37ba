// Listening: who is at the other end of a socket, and gRPC over sockets that were accepted elsewhere.
export { GrpcHost, type GrpcHostOptions, type HostLimits } from './grpc-host.ts';
export { type HttpPort, type HttpPortOptions, listenHttp } from './http-port.ts';
export { logLevelHandlers } from './log-level-handlers.ts';
export { type CallOutcome, observeCalls } from './observe-calls.ts';
export { describePeer, type Peer } from './peer.ts';
export { type PeerCredentials, peerCredentials, processCredentials } from './peer-credentials.ts';
export { type RateLimit, RateLimiter } from './rate-limit.ts';
export { readSmallFile } from './read-small-file.ts';
export { sendDescriptor } from './send-descriptor.ts';
export { type SocketMode, UnixListener, type UnixListenerOptions } from './unix-listener.ts';

export { ClientError, type ClientErrorCode } from '../errors.ts';
export { type Now, systemNow } from '../time.ts';
export {
  type Authorizer,
  authorizeAny,
  authorizeId,
  authorizeMatching,
  authorizeMemberOf,
  authorizeOneOf,
} from './authorize.ts';
export { type ConnectTarget, connectTls, type SpiffeClientOptions } from './connect.ts';
export { createHttpsServer, createTlsServer } from './create-server.ts';
export { spiffeChannelCredentials } from './grpc-channel-credentials.ts';
export { hardened } from './hardened.ts';
export { spiffeHttpsAgent } from './https-agent.ts';
export { peerChain } from './peer-chain.ts';
export { type SpiffeGrpcPort, serveGrpc } from './serve-grpc.ts';
export { guardServer, peerOf, requirePeer, type SpiffeServerOptions, serverOptions } from './server-guard.ts';
export { type SpiffeFetch, spiffeFetch } from './spiffe-fetch.ts';
export { postQuantumOnly } from './svid-context.ts';
export { type PeerPolicy, type VerifiedPeer, verifyPeer, verifyPeerIfPresent } from './verify-peer.ts';

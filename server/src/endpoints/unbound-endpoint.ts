import type { Server } from 'node:http';
import type { Server as NetServer } from 'node:net';
import type { TaskFunction } from '@steeple/daemon';

/** How the endpoint proves who it is. */
export type EndpointIdentity =
  /** `https_spiffe`: the server's own SVID. */
  | { readonly kind: 'svid' }
  /** `https_web` with files that somebody else keeps fresh; `interval` in seconds. */
  | { readonly kind: 'files'; readonly certFile: string; readonly keyFile: string; readonly interval: number }
  /** `https_web` with a certificate that is fetched by ACME. */
  | {
      readonly kind: 'acme';
      readonly directoryUrl: string;
      readonly domainName: string;
      readonly email: string;
      readonly tosAccepted: boolean;
    };

/** A server without its port. */
export interface UnboundEndpoint {
  readonly server: Server;
  /** What is to listen instead, and hands connections on to the server. */
  readonly listener?: NetServer;
  readonly keepFresh?: TaskFunction;
}

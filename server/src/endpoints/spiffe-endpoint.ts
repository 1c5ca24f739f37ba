import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { TlsOptions } from 'node:tls';
import { toPem, type X509Svid, type X509SvidSource } from '@steeple/spiffe';
import { ENDPOINT_TLS } from './endpoint-tls.ts';
import type { UnboundEndpoint } from './unbound-endpoint.ts';

/** An HTTPS server that presents the SVID of the moment and asks nobody for a certificate. */
export const spiffeEndpoint = (source: X509SvidSource, handler: RequestListener): UnboundEndpoint => {
  let presented = source.x509Svid();
  const server = createServer(contextOf(presented), handler);
  // First, for the server's own listener starts the handshake.
  server.prependListener('connection', () => {
    const current = source.x509Svid();
    if (current !== presented) server.setSecureContext(contextOf(current));
    presented = current;
  });
  return { server };
};

const contextOf = (svid: X509Svid): TlsOptions => ({
  ...ENDPOINT_TLS,
  cert: svid.chain.map(({ raw }) => toPem('CERTIFICATE', raw)).join(''),
  key: svid.privateKey.export({ type: 'pkcs8', format: 'pem' }),
});

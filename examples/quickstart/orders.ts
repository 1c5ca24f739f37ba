// A service: HTTPS for clients of one SPIFFE ID. Its identity comes from the socket in SPIFFE_ENDPOINT_SOCKET and changes
// under it; nothing here knows about files, keys or restarts.

import type { TLSSocket } from 'node:tls';
import { authorizeId, createHttpsServer, peerOf, SpiffeId, systemNow, X509Source } from '@steeple/client';

const source = await X509Source.open();
source.on('update', () => console.log(`svid ${source.x509Svid().id} ${source.x509Svid().leaf.serialHex}`));

const server = createHttpsServer(
  {
    svid: source,
    bundles: source,
    now: systemNow,
    authorize: authorizeId(SpiffeId.parse('spiffe://example.org/billing')),
  },
  (request, response) => response.end(`hello ${peerOf(request.socket as TLSSocket)?.id}`),
);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(`svid ${source.x509Svid().id} ${source.x509Svid().leaf.serialHex}`);
  console.log(`listening on ${typeof address === 'object' ? address?.port : address}`);
});

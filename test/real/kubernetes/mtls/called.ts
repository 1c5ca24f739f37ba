// In a pod: answers whoever shows an SVID of the caller, over mTLS.
import type { TLSSocket } from 'node:tls';
import { authorizeId, createHttpsServer, peerOf, SpiffeId, systemNow, X509Source } from '@steeple/client';

const source = await X509Source.open();
const server = createHttpsServer(
  {
    svid: source,
    bundles: source,
    now: systemNow,
    authorize: authorizeId(SpiffeId.parse('spiffe://example.org/caller')),
  },
  (request, response) => response.end(`hello ${peerOf(request.socket as TLSSocket)?.id}`),
);
server.listen(8443, () => console.log('listening'));
console.log(`svid ${source.x509Svid().leaf.serialHex}`);
source.on('update', () => console.log(`svid ${source.x509Svid().leaf.serialHex}`));

// Two workloads prove themselves to one another in plain TLS: OpenSSL is the judge, not our verifier.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { type BundleSet, type TrustDomain, toPem, type X509Svid } from '@steeple/client';

export interface Party {
  readonly svid: X509Svid;
  readonly bundles: BundleSet;
}

function secrets({ svid, bundles }: Party, peers: TrustDomain) {
  const bundle = bundles.get(peers);
  if (bundle === undefined) throw new Error(`${svid.id} has no bundle of ${peers.name}`);
  return {
    cert: svid.chain.map(({ raw }) => toPem('CERTIFICATE', raw)).join(''),
    key: svid.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    ca: bundle.x509Authorities.map(({ certificate }) => toPem('CERTIFICATE', certificate.raw)),
    minVersion: 'TLSv1.3' as const,
  };
}

function requireName(socket: TLSSocket, expected: X509Svid): void {
  const names = socket.getPeerCertificate().subjectaltname ?? '';
  if (!names.split(', ').includes(`URI:${expected.id}`))
    throw new Error(`the peer of ${expected.id} showed "${names}"`);
}

/** A mutual handshake with a byte in each direction. @throws whatever either side does not believe */
export async function handshake(client: Party, server: Party): Promise<void> {
  const options = { ...secrets(server, client.svid.id.trustDomain), requestCert: true, rejectUnauthorized: true };
  const listener = createServer(options).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const failed = new Promise<never>((_, reject) => listener.on('tlsClientError', reject));
  const greeted = new Promise<void>((resolve, reject) =>
    listener.on('secureConnection', (socket) => {
      socket.on('error', reject).on('data', () => {
        try {
          requireName(socket, client.svid);
          socket.end('!');
          resolve();
        } catch (error) {
          reject(error);
        }
      });
    }),
  );
  const socket = connect({
    ...secrets(client, server.svid.id.trustDomain),
    port: (listener.address() as AddressInfo).port,
    host: '127.0.0.1',
    checkServerIdentity: () => undefined,
  });
  const answered = (async () => {
    await once(socket, 'secureConnect');
    requireName(socket, server.svid);
    socket.write('?');
    await once(socket, 'data');
  })();
  try {
    await Promise.race([Promise.all([answered, greeted]), failed]);
  } finally {
    failed.catch(() => undefined);
    greeted.catch(() => undefined);
    answered.catch(() => undefined);
    socket.destroy();
    listener.close();
  }
}

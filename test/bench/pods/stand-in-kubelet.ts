// A kubelet that answers with one list, over TLS as the real one.
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { toPem } from '@steeple/client';
import { forgeCertificate } from '@steeple/test-kit';
import type { Block } from '../../interop/spire/write-hcl.ts';

export interface StandInKubelet extends Disposable {
  /** For the plugin `k8s` of either agent. */
  readonly settings: Block;
  readonly bytes: number;
  /** How often it was asked for its pods. */
  readonly asked: () => number;
}

export async function standInKubelet(folder: string, pods: readonly object[]): Promise<StandInKubelet> {
  const now = Date.now() / 1000;
  const certificate = forgeCertificate({
    commonName: 'kubelet',
    dnsNames: ['localhost'],
    ca: true,
    notBefore: now - 60,
    notAfter: now + 86_400,
  });
  const cert = toPem('CERTIFICATE', certificate.der);
  const key = certificate.privateKey.export({ type: 'pkcs8', format: 'pem' });
  const [ca, token] = [join(folder, 'kubelet.crt'), join(folder, 'token')];
  await writeFile(ca, cert);
  await writeFile(token, 'token', { mode: 0o600 });
  const body = Buffer.from(JSON.stringify({ kind: 'PodList', apiVersion: 'v1', metadata: {}, items: pods }));
  let asked = 0;
  const server = createServer({ cert, key }, (_request, response) => {
    asked += 1;
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
  });
  // As the real one: a connection that waits is kept.
  server.keepAliveTimeout = 90_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    settings: { kubelet_secure_port: port, kubelet_ca_path: ca, token_path: token },
    bytes: body.length,
    asked: () => asked,
    [Symbol.dispose]: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

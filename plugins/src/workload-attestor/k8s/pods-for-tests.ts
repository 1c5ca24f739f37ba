import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';

export const UID = '2c48913c-b29f-11e7-9350-020968147796';

/** A pod as the kubelet writes it: container names with their ids, those without one are being started. */
export function podJson(containers: Readonly<Record<string, string>>, more: { uid?: string; status?: object } = {}) {
  return {
    metadata: {
      name: 'web-1',
      namespace: 'shop',
      uid: more.uid ?? UID,
      labels: { app: 'web' },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'owner-uid', controller: true }],
    },
    spec: { serviceAccountName: 'web', nodeName: 'node1', containers: [] },
    status: {
      containerStatuses: Object.entries(containers).map(([name, id]) => ({
        name,
        image: 'docker.io/library/web:1',
        imageID: id === '' ? '' : 'docker.io/library/web@sha256:aa',
        ...(id === '' ? { state: { waiting: {} } } : { containerID: `containerd://${id}`, state: { running: {} } }),
      })),
      ...more.status,
    },
  };
}

/** A kubelet of a test, on a free port of the loopback interface. */
export async function fakeKubelet(answer: RequestListener, tls?: ServerOptions) {
  const server = tls ? createTlsServer(tls, answer) : createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Says that these are all its pods. */
export function listing(items: () => readonly object[]): RequestListener {
  return (_request, response) => response.end(JSON.stringify({ kind: 'PodList', apiVersion: 'v1', items: items() }));
}

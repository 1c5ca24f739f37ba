import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly authorization: string | undefined;
  readonly contentType: string | undefined;
  readonly body: string;
}

/** A Kubernetes API of a test: it writes down what is asked, and answers what the test says. */
export interface FakeApi extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly asked: readonly Asked[];
}

export async function fakeApi(
  answer: (asked: Asked, response: ServerResponse, request: IncomingMessage) => void,
  tls?: ServerOptions,
): Promise<FakeApi> {
  const asked: Asked[] = [];
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '', 'http://api');
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const one: Asked = {
        method: request.method ?? '',
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        authorization: request.headers.authorization,
        contentType: request.headers['content-type'],
        body: Buffer.concat(parts).toString('utf8'),
      };
      asked.push(one);
      answer(one, response, request);
    });
  };
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

export function refuse(response: ServerResponse, status: number, reason: string, message = reason): void {
  json(response, { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: status, reason, message }, status);
}

export function object(name: string, resourceVersion = '1', more: object = {}) {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'ns', uid: `uid-${name}`, resourceVersion },
    ...more,
  };
}

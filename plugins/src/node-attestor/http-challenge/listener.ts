import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Serves one text under one path until it is closed. */
export interface ChallengeListener extends Disposable {
  /** The port that it listens on. */
  readonly port: number;
  /** What is answered from now on; before, there is nothing under the path. */
  answer(text: string): void;
}

const MILLISECONDS = { request: 10_000, sweep: 1000 };
const MAX_CONNECTIONS = 32;
const MAX_HEADER_BYTES = 8192;

/**
 * Listens on all addresses of the node: anybody may ask, as the answer is worth nothing to others.
 *
 * @throws the error of `listen`, such as `EADDRINUSE`
 */
export async function listenForChallenge(port: number, path: string): Promise<ChallengeListener> {
  let body: string | undefined;
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: MILLISECONDS.request,
      requestTimeout: MILLISECONDS.request,
      connectionsCheckingInterval: MILLISECONDS.sweep,
    },
    (request, response) => {
      const isAsked = request.url === path && body !== undefined && /^(GET|HEAD)$/.test(request.method ?? '');
      response.writeHead(isAsked ? 200 : 404, {
        'content-type': 'text/plain; charset=utf-8',
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
        connection: 'close',
      });
      response.end(isAsked ? body : 'not found\n');
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(MILLISECONDS.request);
  await listening(server, port);
  // What goes wrong with one visitor is the visitor's matter.
  server.on('error', () => undefined);
  return {
    port: (server.address() as AddressInfo).port,
    answer: (text) => {
      body = `${text}\n`;
    },
    [Symbol.dispose]: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function listening(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

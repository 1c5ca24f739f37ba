import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface StandInRequest {
  readonly method: string;
  readonly host: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Text with status 200, or another status; undefined is 404. */
export type StandInAnswer =
  | string
  | { readonly status: number; readonly body?: string | Uint8Array; readonly headers?: Record<string, string> }
  | undefined;

/** A provider's service on a local port, with what it was asked. */
export class StandIn implements AsyncDisposable {
  readonly requests: StandInRequest[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async listen(
    answer: (request: StandInRequest) => StandInAnswer | Promise<StandInAnswer>,
    host = '127.0.0.1',
  ): Promise<StandIn> {
    const server = createServer((message, response) => {
      void (async () => {
        const pieces: Uint8Array[] = [];
        for await (const piece of message) pieces.push(piece as Uint8Array);
        const { headers, method = '' } = message;
        // A proxy is asked for whole addresses.
        const url = new URL(message.url ?? '/', `http://${headers.host}`);
        const request = { method, url, headers, host: url.host, body: Buffer.concat(pieces).toString() };
        standIn.requests.push(request);
        const given = await answer(request);
        const {
          status,
          body = '',
          headers: more = {},
        } = typeof given === 'string' ? { status: 200, body: given } : (given ?? { status: 404 });
        response.writeHead(status, more).end(body);
      })();
    });
    const standIn = new StandIn(server);
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    return standIn;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get address(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

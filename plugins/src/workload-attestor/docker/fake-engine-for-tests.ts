import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

/** An engine that tells what a test wants, on a socket of its own. */
export class FakeEngine {
  readonly directory = mkdtempSync(join(tmpdir(), 'steeple-engine-'));
  readonly socketPath = join(this.directory, 'engine.sock');
  readonly asked: string[] = [];
  readonly #connections = new Set<Socket>();
  #answer: Listener = () => {};
  readonly #server = createServer((request, response) => {
    this.asked.push(request.url ?? '');
    this.#answer(request, response);
  });

  async listen(): Promise<void> {
    this.#server.on('connection', (socket: Socket) => {
      this.#connections.add(socket);
      socket.on('close', () => this.#connections.delete(socket));
    });
    await new Promise<void>((done) => this.#server.listen(this.socketPath, done));
  }

  /** Connections that are still open. */
  get connections(): number {
    return this.#connections.size;
  }

  /** From now on. A ping is answered with the version unless `ping` is given. */
  answer(answer: Listener, ping: Listener = pong('1.41')): void {
    this.#answer = (request, response) => (request.url === '/_ping' ? ping : answer)(request, response);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#connections) socket.destroy();
    await new Promise((done) => this.#server.close(done));
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export const pong =
  (version: string): Listener =>
  (_, response) =>
    response.setHeader('Api-Version', version).end('OK');

export const says =
  (status: number, body: unknown): Listener =>
  (_, response) => {
    response.statusCode = status;
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

/** What an engine says of a running container. */
export function containerJson(id: string, pid: number, config: object = {}, more: object = {}) {
  return {
    Id: id,
    Image: `sha256:${'ab'.repeat(32)}`,
    State: { Status: 'running', Running: true, Pid: pid },
    Config: { Image: 'shop/web:1', Labels: null, Env: null, ...config },
    ...more,
  };
}

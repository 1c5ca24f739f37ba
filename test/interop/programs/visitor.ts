// Somebody who knocks again and again, each time on a new connection, and counts.

import type { Agent } from 'node:https';
import { get } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Answer {
  readonly status: number;
  readonly body: string;
  /** Of the certificate that the server presented. */
  readonly serial: string;
}

/** One request over a connection of its own. @throws what the handshake or the connection failed with */
export function visit(port: number, agent: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = get(
      { host: '127.0.0.1', port, agent, timeout: 10_000, headers: { host: 'localhost' } },
      (response) => {
        const socket = response.socket as import('node:tls').TLSSocket;
        const { serialNumber } = socket.getPeerCertificate();
        let body = '';
        response
          .setEncoding('utf8')
          .on('data', (text: string) => {
            body += text;
          })
          .on('end', () => resolve({ status: response.statusCode ?? 0, body, serial: serialNumber }))
          .on('error', reject);
      },
    );
    request.on('error', reject).on('timeout', () => request.destroy(new Error('no answer within 10 s')));
  });
}

/** Knocks until told to stop. One failure ends it, and is told by `stop` and to whoever waits. */
export class Visitor {
  readonly serials = new Set<string>();
  visits = 0;
  #over = false;
  #failure: Error | undefined;
  readonly #done: Promise<void>;

  constructor(knock: () => Promise<Answer>) {
    this.#done = this.#run(knock).catch((error: unknown) => {
      this.#failure = error instanceof Error ? error : new Error(String(error));
    });
  }

  /** Until so many different certificates were presented. */
  async sees(serials: number, seconds: number): Promise<void> {
    const end = Date.now() + seconds * 1000;
    while (this.serials.size < serials) {
      this.check();
      if (Date.now() > end) throw new Error(`${this.serials.size} of ${serials} certificates within ${seconds} s`);
      await sleep(100);
    }
  }

  /** @throws what the first failed visit failed with */
  check(): void {
    const failure = this.#failure;
    if (failure !== undefined) {
      throw new Error(`visit ${this.visits + 1}, after ${this.serials.size} certificates: ${failure.message}`, {
        cause: failure,
      });
    }
  }

  async stop(): Promise<void> {
    this.#over = true;
    await this.#done;
    this.check();
  }

  async #run(knock: () => Promise<Answer>): Promise<void> {
    while (!this.#over) {
      const { status, serial, body } = await knock();
      if (status !== 200) throw new Error(`status ${status}: ${body.slice(0, 200)}`);
      this.serials.add(serial);
      this.visits += 1;
      await sleep(20);
    }
  }
}

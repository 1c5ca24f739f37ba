import type { Socket } from 'node:net';
import type { Clock } from '@steeple/daemon';

export interface HandshakeLimits {
  /** Handshakes begun in one turn of the event loop: about 2 ms of work each, and whoever else calls waits for no more. */
  readonly perTurn: number;
  /** Handshakes under way. Who opens connections and says nothing holds one until its time is over. */
  readonly open: number;
  readonly openPerAddress: number;
  /** Seconds after which somebody who waits is let go: by then it has given up, and work for it would be lost. */
  readonly patience: number;
}

const LIMITS: HandshakeLimits = { perTurn: 16, open: 2048, openPerAddress: 512, patience: 15 };

interface Waiting {
  readonly socket: Socket;
  readonly since: number;
}

/**
 * Lets accepted connections begin their TLS handshake at a pace that leaves the process time for everything else.
 *
 * 1. Nothing is read from a connection that waits, so it costs a descriptor and no more; their number is bounded by who
 *    accepts them.
 * 2. Source addresses take turns, so one that floods delays itself.
 */
export class HandshakeQueue {
  readonly #start: (socket: Socket) => void;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #limits: HandshakeLimits;
  readonly #waiting = new Map<string, Waiting[]>();
  /** Address of each connection in its handshake. */
  readonly #open = new Map<string, string>();
  readonly #openOf = new Map<string, number>();
  #scheduled = false;

  constructor(start: (socket: Socket) => void, clock: Pick<Clock, 'monotonic'>, limits: Partial<HandshakeLimits> = {}) {
    this.#start = start;
    this.#clock = clock;
    this.#limits = { ...LIMITS, ...limits };
  }

  /** Takes a connection from which nothing has been read, and that is paused. */
  add(socket: Socket, address: string): void {
    socket.on('error', () => {});
    const line = this.#waiting.get(address) ?? [];
    line.push({ socket, since: this.#clock.monotonic() });
    this.#waiting.set(address, line);
    this.#schedule();
  }

  /** The handshake of that connection is over, well or not. Told of its end anyway, so that it may be left out. */
  finished(socket: Pick<Socket, 'remoteAddress' | 'remotePort'>): void {
    this.#close(keyOf(socket));
  }

  get open(): number {
    return this.#open.size;
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.size === 0 || this.#open.size >= this.#limits.open) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#turn();
    });
  }

  #turn(): void {
    let begun = 0;
    for (const [address, line] of this.#waiting) {
      if ((this.#openOf.get(address) ?? 0) >= this.#limits.openPerAddress) continue;
      if (begun >= this.#limits.perTurn || this.#open.size >= this.#limits.open) return this.#schedule();
      // To the end of the map, which this loop then meets again.
      this.#waiting.delete(address);
      const next = line.shift();
      if (line.length > 0) this.#waiting.set(address, line);
      if (next !== undefined && this.#begin(next, address)) begun += 1;
    }
  }

  #begin({ socket, since }: Waiting, address: string): boolean {
    if (socket.destroyed) return false;
    if (this.#clock.monotonic() - since > this.#limits.patience) {
      socket.destroy();
      return false;
    }
    const key = keyOf(socket);
    this.#open.set(key, address);
    this.#openOf.set(address, (this.#openOf.get(address) ?? 0) + 1);
    socket.once('close', () => this.#close(key));
    this.#start(socket);
    return true;
  }

  #close(key: string): void {
    const address = this.#open.get(key);
    if (address === undefined) return;
    this.#open.delete(key);
    const left = (this.#openOf.get(address) ?? 1) - 1;
    if (left === 0) this.#openOf.delete(address);
    else this.#openOf.set(address, left);
    this.#schedule();
  }
}

const keyOf = ({ remoteAddress, remotePort }: Pick<Socket, 'remoteAddress' | 'remotePort'>): string =>
  `${remoteAddress} ${remotePort}`;

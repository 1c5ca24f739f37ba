import type { EventEmitter } from 'node:events';

/** Seconds that a connection of a stranger lives: long enough to attest or to read a bundle. */
export const STRANGER_LIFE = 60;

/**
 * Counts connections of clients without a certificate. They are a part of all that a server holds, so that strangers, who
 * prove nothing, cannot take the place of members.
 */
export class Strangers {
  readonly #most: number;
  #open = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Whether one more may stay; it is counted until it closes. */
  admit(socket: Pick<EventEmitter, 'once'>): boolean {
    if (this.#open >= this.#most) return false;
    this.#open += 1;
    socket.once('close', () => (this.#open -= 1));
    return true;
  }
}

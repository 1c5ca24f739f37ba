import type { Clock } from '../clock.ts';
import { KubernetesError } from './kubernetes-error.ts';

/** A signal that aborts with another one, or when time is up. Disposing ends the waiting. */
export class TimeLimit implements Disposable {
  readonly signal: AbortSignal;
  readonly #clock: Clock;
  readonly #expired = new AbortController();
  #nap = new AbortController();

  constructor(clock: Clock, seconds: number, outer?: AbortSignal) {
    this.#clock = clock;
    this.signal = outer ? AbortSignal.any([outer, this.#expired.signal]) : this.#expired.signal;
    this.extend(seconds);
  }

  /** Time begins anew. */
  extend(seconds: number): void {
    this.#nap.abort();
    const nap = new AbortController();
    this.#nap = nap;
    const expire = () =>
      this.#expired.abort(new KubernetesError('unreachable', `the Kubernetes API did not answer within ${seconds} s`));
    this.#clock.sleep(seconds, nap.signal).then(expire, () => undefined);
  }

  [Symbol.dispose](): void {
    this.#nap.abort();
  }
}

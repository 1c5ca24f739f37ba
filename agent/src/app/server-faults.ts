import { Code, GrpcError } from '@steeple/proto/grpc';
import type { AgentIdentity } from './agent-identity.ts';
import type { Rebootstrap } from './rebootstrap.ts';
import type { ServerLink } from './server-link.ts';

export interface ServerFaultsParts {
  readonly identity: Pick<AgentIdentity, 'onServerError'>;
  readonly link: Pick<ServerLink, 'reconnect'>;
  readonly rebootstrap: Pick<Rebootstrap, 'judge'>;
}

/** The one place that draws consequences from failed calls to the server. */
export class ServerFaults {
  readonly #parts: ServerFaultsParts;
  #report: ((error: unknown) => void) | undefined;

  constructor(parts: ServerFaultsParts) {
    this.#parts = parts;
  }

  /** @throws AgentStopped if the agent cannot go on */
  async judge(error: unknown, signal: AbortSignal): Promise<void> {
    // A server that vanished without a farewell leaves a connection on which nothing ever fails but time.
    if (error instanceof GrpcError && error.code === Code.DEADLINE_EXCEEDED) this.#parts.link.reconnect();
    await this.#parts.identity.onServerError(error, signal);
    await this.#parts.rebootstrap.judge(error, signal);
  }

  /** For callers that must not fail because the agent does, such as a workload's call. */
  report(error: unknown): void {
    this.#report?.(error);
  }

  /** Judges what is reported; fails when the agent cannot go on. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const error = await this.#next(signal);
      if (error !== undefined) await this.judge(error, signal);
    }
  }

  #next(signal: AbortSignal): Promise<unknown> {
    return new Promise((resolve) => {
      const done = (error?: unknown) => {
        this.#report = undefined;
        resolve(error);
      };
      this.#report = done;
      signal.addEventListener('abort', () => done(), { once: true });
    });
  }
}

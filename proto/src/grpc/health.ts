import { type Health, HealthCheckResponse_ServingStatus as ServingStatus } from '../gen/grpc/health/v1/health_pb.ts';
import { orAborted } from './abort.ts';
import { Code } from './code.ts';
import type { Handlers } from './handlers.ts';
import { GrpcError } from './status.ts';

/** What is serving. The empty name stands for the whole server. */
export class HealthState {
  readonly #serving = new Map<string, boolean>();
  readonly #waiting = new Set<() => void>();

  constructor(initial: Readonly<Record<string, boolean>> = { '': false }) {
    for (const [service, serving] of Object.entries(initial)) this.#serving.set(service, serving);
  }

  set(service: string, serving: boolean): void {
    if (this.#serving.get(service) === serving) return;
    this.#serving.set(service, serving);
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }

  get(service: string): boolean | undefined {
    return this.#serving.get(service);
  }

  services(): IterableIterator<string> {
    return this.#serving.keys();
  }

  /** Settles at the next change of any service. */
  async changed(signal: AbortSignal): Promise<void> {
    let wake = (): void => {};
    const change = new Promise<void>((resolve) => {
      wake = resolve;
    });
    this.#waiting.add(wake);
    try {
      await orAborted(change, signal);
    } finally {
      this.#waiting.delete(wake);
    }
  }
}

/** grpc.health.v1 over a state, or over a function that tells it at the moment (then Watch is UNIMPLEMENTED). */
export function healthHandlers(
  source: HealthState | ((service: string) => boolean | undefined),
): Handlers<typeof Health> {
  const state = source instanceof HealthState ? source : undefined;
  const serving = source instanceof HealthState ? (service: string) => source.get(service) : source;
  return {
    async check({ service }) {
      const now = serving(service);
      if (now === undefined) throw GrpcError.of(Code.NOT_FOUND, 'unknown service');
      return { status: statusOf(now) };
    },
    async list() {
      const statuses = [...(state?.services() ?? [''])].map((name) => [name, { status: statusOf(serving(name)) }]);
      return { statuses: Object.fromEntries(statuses) as Record<string, { status: ServingStatus }> };
    },
    async *watch({ service }, ctx) {
      if (state === undefined) throw GrpcError.of(Code.UNIMPLEMENTED, 'Watch is not offered here');
      for (let sent: ServingStatus | undefined; ; ) {
        const change = state.changed(ctx.signal);
        // While a message leaves nobody awaits the change; its rejection then is no error.
        change.catch(() => {});
        const now = statusOf(state.get(service));
        if (now !== sent) yield { status: now };
        sent = now;
        await change;
      }
    },
  };
}

function statusOf(serving: boolean | undefined): ServingStatus {
  if (serving === undefined) return ServingStatus.SERVICE_UNKNOWN;
  return serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
}

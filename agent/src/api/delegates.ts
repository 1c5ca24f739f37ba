import { formatSelector, IssuerError, parseSelector, type Selector } from '@steeple/core';
import { processCredentials } from '@steeple/daemon/listen';
import type { types } from '@steeple/proto/agent-api';
import { type CallContext, Code, GrpcError } from '@steeple/proto/grpc';
import type { SpiffeId } from '@steeple/spiffe';
import { viewsOf } from '../app/caller-views.ts';
import type { IdentityCache } from '../app/identity-cache.ts';
import { explained, noIdentity } from '../app/no-identity.ts';
import type { OpenStreams } from '../app/open-streams.ts';
import type { WorkloadAttestation } from '../app/workload-attestation.ts';
import type { WorkloadView } from '../app/workload-view.ts';
import type { Caller, Callers } from './callers.ts';
import { notYet } from './workload-calls.ts';

export interface DelegatesParts {
  readonly callers: Callers;
  readonly cache: IdentityCache;
  readonly attestation: WorkloadAttestation;
  readonly streams: OpenStreams;
  /** Whose holders may ask for others. */
  readonly authorized: readonly SpiffeId[];
}

/** The workload that a delegate asks for: its selectors, or its process. */
export interface SubjectRequest {
  readonly selectors: readonly types.Selector[];
  readonly pid: number;
}

/**
 * Who may ask for other workloads' identities, and for whom.
 *
 * 1. A delegate is a process that holds one of the authorized identities. It is a delegate only as long as it does: its
 *    streams end with that.
 * 2. Selectors that a delegate names are believed. A process that it names by pid is examined as if it called itself; that
 *    the pid means the right process, the delegate answers for.
 */
export class Delegates {
  readonly #parts: DelegatesParts;
  readonly #authorized: ReadonlySet<string>;

  constructor(parts: DelegatesParts) {
    this.#parts = parts;
    this.#authorized = new Set(parts.authorized.map(String));
  }

  /** @throws GrpcError `PERMISSION_DENIED`, `UNAVAILABLE` */
  async require(ctx: CallContext): Promise<Caller> {
    const { callers, cache } = this.#parts;
    const caller = await callers.attest(ctx).catch((error: unknown) => {
      throw attestationFailed(error, ctx.signal);
    });
    try {
      this.#judge(cache.view(caller.selectors));
    } catch (error) {
      caller.release();
      throw explained(error, caller.failed);
    }
    const lost = new AbortController();
    void this.#watch(caller, lost);
    return { ...caller, signal: AbortSignal.any([caller.signal, lost.signal]) };
  }

  /** @throws GrpcError `INVALID_ARGUMENT`, `UNAVAILABLE` */
  async subject({ selectors, pid }: SubjectRequest, delegate: Caller): Promise<Caller> {
    if (selectors.length > 0 === (pid !== 0) || pid < 0) {
      throw GrpcError.of(Code.INVALID_ARGUMENT, 'must provide either selectors or non-zero PID, but not both');
    }
    if (selectors.length > 0)
      return { selectors: readSelectors(selectors), failed: [], signal: delegate.signal, release: () => {} };
    const { attestation, streams } = this.#parts;
    try {
      const peer = processCredentials(pid);
      const { signal, release } = streams.guard(peer, delegate.signal);
      try {
        return { ...(await attestation.attest(peer, signal)), signal, release };
      } catch (error) {
        release();
        throw error;
      }
    } catch (error) {
      throw attestationFailed(error, delegate.signal);
    }
  }

  #judge({ entries }: WorkloadView): void {
    if (entries.some(({ spiffeId }) => this.#authorized.has(spiffeId.toString()))) return;
    if (!this.#parts.cache.synced) throw notYet();
    if (entries.length === 0) throw noIdentity();
    throw GrpcError.of(Code.PERMISSION_DENIED, 'caller not configured as an authorized delegate');
  }

  /** 1 */
  async #watch(caller: Caller, lost: AbortController): Promise<void> {
    try {
      for await (const view of viewsOf(this.#parts.cache, caller)) this.#judge(view);
    } catch (error) {
      lost.abort(error);
    }
  }
}

function attestationFailed(cause: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return cause;
  return new GrpcError(Code.UNAVAILABLE, 'workload attestation failed', { cause });
}

function readSelectors(wire: readonly types.Selector[]): readonly Selector[] {
  try {
    return wire.map(({ type, value }) => {
      if (type.includes(':')) throw new IssuerError('invalid-argument', 'selector type contains a colon');
      return parseSelector(formatSelector({ type, value }));
    });
  } catch (cause) {
    if (!(cause instanceof IssuerError)) throw cause;
    throw new GrpcError(Code.INVALID_ARGUMENT, 'could not parse provided selectors', { cause });
  }
}

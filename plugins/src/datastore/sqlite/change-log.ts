import type { AgentRecord, RegistrationEntry } from '@steeple/core';
import type { TrustBundle } from '@steeple/spiffe';
import type { Changed, StoreChange } from '../datastore.ts';

/** Collects what one transaction changes; of several changes to one thing only the last state counts. */
export class ChangeLog {
  readonly #entries = new Map<string, RegistrationEntry | undefined>();
  readonly #agents = new Map<string, AgentRecord | undefined>();
  readonly #bundles = new Map<string, TrustBundle | undefined>();

  putEntry(entry: RegistrationEntry): void {
    this.#entries.set(entry.id, entry);
  }

  removeEntry(id: string): void {
    this.#entries.set(id, undefined);
  }

  putAgent(agent: AgentRecord): void {
    this.#agents.set(agent.id.toString(), agent);
  }

  removeAgent(id: string): void {
    this.#agents.set(id, undefined);
  }

  putBundle(bundle: TrustBundle): void {
    this.#bundles.set(bundle.trustDomain.name, bundle);
  }

  removeBundle(trustDomainName: string): void {
    this.#bundles.set(trustDomainName, undefined);
  }

  /** The whole change, or nothing if the transaction touched none of these. */
  result(): StoreChange | undefined {
    if (this.#entries.size + this.#agents.size + this.#bundles.size === 0) return undefined;
    return { entries: split(this.#entries), agents: split(this.#agents), bundles: split(this.#bundles) };
  }
}

function split<T>(changes: ReadonlyMap<string, T | undefined>): Changed<T> {
  const put: T[] = [];
  const removed: string[] = [];
  for (const [key, value] of changes) {
    if (value === undefined) removed.push(key);
    else put.push(value);
  }
  return { put, removed };
}

import { IssuerError } from '@steeple/core';
import type { Clock } from '@steeple/daemon';
import { type KubernetesAccess, KubernetesClient, type ResourceType } from '@steeple/daemon/kubernetes';

type Labels = Readonly<Record<string, string>>;

const NAMESPACES: ResourceType = { group: '', version: 'v1', plural: 'namespaces', namespaced: false };
/** Seconds for which labels are good; it is as long for a pod's. */
const MAX_AGE = 10;
/** More than a node has pods. */
const MOST = 2000;

/** The labels of namespaces, which only the API server knows. */
export class NamespaceLabels {
  readonly #client: KubernetesClient;
  readonly #clock: Clock;
  readonly #known = new Map<string, { readonly labels: Promise<Labels>; readonly askedAt: number }>();

  constructor(access: KubernetesAccess, clock: Clock) {
    this.#client = new KubernetesClient({ access, clock, timeout: 10 });
    this.#clock = clock;
  }

  /** @throws {IssuerError} `unavailable` */
  async of(namespace: string): Promise<Labels> {
    const now = this.#clock.monotonic();
    const known = this.#known.get(namespace);
    if (known !== undefined && now - known.askedAt < MAX_AGE) return await known.labels;
    if (this.#known.size >= MOST) this.#known.clear();
    const asked = { labels: this.#ask(namespace), askedAt: now };
    this.#known.set(namespace, asked);
    try {
      return await asked.labels;
    } catch (error) {
      if (this.#known.get(namespace) === asked) this.#known.delete(namespace);
      throw error;
    }
  }

  async #ask(namespace: string): Promise<Labels> {
    try {
      return (await this.#client.get(NAMESPACES, { name: namespace })).metadata.labels ?? {};
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new IssuerError('unavailable', `the labels of namespace ${namespace} are not told: ${why}`, { cause });
    }
  }
}

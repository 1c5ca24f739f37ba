import type { Clock, Logger } from '@steeple/daemon';
import {
  follow,
  hasStatus,
  type KubernetesClient,
  type KubernetesObject,
  type ResourceType,
} from '@steeple/daemon/kubernetes';
import type { TrustBundle } from '@steeple/spiffe';
import { base64Of } from '../../base64.ts';
import { pemOf } from '../../bundle-publisher/format-bundle.ts';
import type { KubernetesPlace } from '../../bundle-publisher/kubernetes/kubernetes-place.ts';

/** A kind of object that tells the API which CAs to trust when it calls somebody, and where in it that stands. */
export interface CaHolder {
  readonly type: ResourceType;
  /** The values now, each with its JSON pointer. */
  readonly held: (object: KubernetesObject) => readonly { readonly pointer: string; readonly value: unknown }[];
}

const webhooks = (plural: string): CaHolder => ({
  type: { group: 'admissionregistration.k8s.io', version: 'v1', plural, namespaced: false },
  held: ({ webhooks }) =>
    (Array.isArray(webhooks) ? webhooks : []).map((webhook: { clientConfig?: { caBundle?: unknown } }, index) => ({
      pointer: `/webhooks/${index}/clientConfig/caBundle`,
      value: webhook.clientConfig?.caBundle,
    })),
});

export const WEBHOOKS: readonly CaHolder[] = [
  webhooks('mutatingwebhookconfigurations'),
  webhooks('validatingwebhookconfigurations'),
];

export const API_SERVICES: CaHolder = {
  type: { group: 'apiregistration.k8s.io', version: 'v1', plural: 'apiservices', namespaced: false },
  held: ({ spec }) => [{ pointer: '/spec/caBundle', value: (spec as { caBundle?: unknown } | undefined)?.caBundle }],
};

export interface CaBundlesOptions {
  readonly holder: CaHolder;
  /** Objects with this label set to `true` are meant. */
  readonly label: string;
  /** For messages. */
  readonly cluster: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random01: () => number;
}

const ATTEMPTS = 4;

/** The `caBundle`s of all labelled objects of a kind: those there are, and those that come. */
export class CaBundlesPlace implements KubernetesPlace {
  readonly name: string;
  readonly #client: KubernetesClient;
  readonly #options: CaBundlesOptions;

  constructor(client: KubernetesClient, options: CaBundlesOptions) {
    this.#client = client;
    this.#options = options;
    this.name = `${options.holder.type.plural} labelled ${options.label}=true of ${options.cluster}`;
  }

  async put(bundle: TrustBundle, signal: AbortSignal): Promise<void> {
    const { items } = await this.#client.list(this.#options.holder.type, { labelSelector: this.#selector }, signal);
    for (const object of items) await this.#fill(object, bundle, signal);
  }

  async follow(current: () => TrustBundle, signal: AbortSignal): Promise<void> {
    const { clock, random01, logger, holder } = this.#options;
    const trouble = (error: unknown) =>
      logger.warn('Objects that want the bundle cannot be watched', { place: this.name, error: messageOf(error) });
    const options = { labelSelector: this.#selector, clock, random01, onTrouble: trouble };
    for await (const event of follow(this.#client, holder.type, options, signal)) {
      const objects = event.kind === 'listed' ? event.objects : event.kind === 'put' ? [event.object] : [];
      for (const object of objects) {
        await this.#fill(object, current(), signal).catch((error: unknown) => {
          if (!signal.aborted) trouble(error);
        });
      }
    }
  }

  get #selector(): string {
    return `${this.#options.label}=true`;
  }

  /** Only if it is still as it was seen: somebody may have changed the order of its webhooks. */
  async #fill(object: KubernetesObject, bundle: TrustBundle, signal: AbortSignal): Promise<void> {
    const { type, held } = this.#options.holder;
    const { name } = object.metadata;
    const value = base64Of(Buffer.from(pemOf(bundle)));
    let seen = object;
    for (let attempt = 1; ; attempt += 1) {
      const outdated = held(seen).filter((one) => one.value !== value);
      if (outdated.length === 0) return;
      const patch = [
        { op: 'test', path: '/metadata/resourceVersion', value: seen.metadata.resourceVersion },
        ...outdated.map(({ pointer }) => ({ op: 'add', path: pointer, value })),
      ];
      try {
        await this.#client.patch(type, { name }, patch, { kind: 'json' }, signal);
        return;
      } catch (error) {
        if (hasStatus(error, 404)) return;
        const changed = hasStatus(error, 409) || hasStatus(error, 422);
        if (!changed || attempt === ATTEMPTS) throw error;
      }
      seen = await this.#client.get(type, { name }, signal);
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

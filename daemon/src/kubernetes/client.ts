import type { Clock } from '../clock.ts';
import { bodyOf, checkObject, parseObject, refusalOf } from './answers.ts';
import type { KubernetesAccess } from './connection.ts';
import { KubernetesError } from './kubernetes-error.ts';
import { queryOf, selectorsOf } from './query.ts';
import {
  collectionPath,
  type KubernetesObject,
  type ObjectRef,
  objectPath,
  type ResourceType,
  type Scope,
} from './resource.ts';
import { TimeLimit } from './time-limit.ts';
import { type WatchEvent, watchEvents } from './watch-events.ts';
import { Wire, type WireRequest } from './wire.ts';

/** How a patch is meant; `apply` is server-side apply and names who manages the fields. */
export type PatchKind =
  | { readonly kind: 'merge' | 'json' }
  | { readonly kind: 'apply'; readonly fieldManager: string; readonly force?: boolean };

const PATCH_TYPES = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
};

export interface KubernetesClientOptions {
  readonly access: KubernetesAccess;
  readonly clock: Clock;
  /** Seconds that one answer may take; a watch's only until it begins. */
  readonly timeout?: number;
  /** Of one answer; a list is asked for in pages. */
  readonly maxAnswerBytes?: number;
}

const PAGE_SIZE = 500;
const MOST_PAGES = 2000;

/**
 * Some of the Kubernetes API, for objects of any kind. Files behind the access are read for every request.
 *
 * Every method throws {@link KubernetesError}, or the signal's reason if that aborts.
 */
export class KubernetesClient implements Disposable {
  readonly #wire: Wire;
  readonly #clock: Clock;
  readonly #timeout: number;
  readonly #maxAnswerBytes: number;

  constructor({ access, clock, timeout = 30, maxAnswerBytes = 32 * 1024 * 1024 }: KubernetesClientOptions) {
    this.#wire = new Wire(access);
    this.#clock = clock;
    this.#timeout = timeout;
    this.#maxAnswerBytes = maxAnswerBytes;
  }

  async get(type: ResourceType, ref: ObjectRef, signal?: AbortSignal): Promise<KubernetesObject> {
    return checkObject(await this.#call('GET', objectPath(type, ref), undefined, signal));
  }

  /** All of them, and the version from which a watch goes on. */
  async list(
    type: ResourceType,
    scope: Scope = {},
    signal?: AbortSignal,
  ): Promise<{ readonly items: readonly KubernetesObject[]; readonly resourceVersion: string }> {
    const items: KubernetesObject[] = [];
    let next: string | undefined;
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const query = { limit: String(PAGE_SIZE), continue: next, ...selectorsOf(scope) };
      const answer = await this.#call('GET', collectionPath(type, scope.namespace) + queryOf(query), undefined, signal);
      const found = answer['items'] ?? [];
      if (!Array.isArray(found))
        throw new KubernetesError('answer', 'the Kubernetes API answered a list without items');
      items.push(...found.map(checkObject));
      const { resourceVersion, continue: more } = (answer['metadata'] ?? {}) as Record<string, unknown>;
      if (typeof resourceVersion !== 'string') {
        throw new KubernetesError('answer', 'the Kubernetes API answered a list without metadata.resourceVersion');
      }
      if (typeof more !== 'string' || more === '') return { items, resourceVersion };
      next = more;
    }
    throw new KubernetesError('answer', `the Kubernetes API answered a list of more than ${MOST_PAGES} pages`);
  }

  /** The answer is unchecked: some things that are created, such as reviews, have no name. */
  create(
    type: ResourceType,
    object: object,
    where: { readonly namespace?: string | undefined; readonly name?: string; readonly subresource?: string } = {},
    signal?: AbortSignal,
  ): Promise<Readonly<Record<string, unknown>>> {
    const { namespace, name, subresource } = where;
    const path =
      name === undefined ? collectionPath(type, namespace) : objectPath(type, { name, namespace, subresource });
    return this.#call('POST', path, { contentType: 'application/json', text: JSON.stringify(object) }, signal);
  }

  /** Replaces it as a whole; with `metadata.resourceVersion` only if nobody changed it since. */
  async update(type: ResourceType, ref: ObjectRef, object: object, signal?: AbortSignal): Promise<KubernetesObject> {
    const body = { contentType: 'application/json', text: JSON.stringify(object) };
    return checkObject(await this.#call('PUT', objectPath(type, ref), body, signal));
  }

  async patch(
    type: ResourceType,
    ref: ObjectRef,
    patch: object,
    how: PatchKind,
    signal?: AbortSignal,
  ): Promise<KubernetesObject> {
    const query =
      how.kind === 'apply' ? queryOf({ fieldManager: how.fieldManager, force: how.force ? 'true' : undefined }) : '';
    const body = { contentType: PATCH_TYPES[how.kind], text: JSON.stringify(patch) };
    return checkObject(await this.#call('PATCH', objectPath(type, ref) + query, body, signal));
  }

  async delete(type: ResourceType, ref: ObjectRef, signal?: AbortSignal): Promise<void> {
    await this.#call('DELETE', objectPath(type, ref), undefined, signal);
  }

  /**
   * Changes since a version, until the API ends the connection, as it does after some minutes. `follow` goes on for ever.
   * Objects as they come; a bookmark carries nothing but its version.
   */
  async *watch(
    type: ResourceType,
    scope: Scope & { readonly resourceVersion: string; readonly seconds: number },
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent> {
    const query = {
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion: scope.resourceVersion,
      timeoutSeconds: String(scope.seconds),
      ...selectorsOf(scope),
    };
    using limit = this.#limit(signal);
    const target = collectionPath(type, scope.namespace) + queryOf(query);
    const response = await this.#wire.open({ method: 'GET', target }, limit.signal);
    if (response.statusCode !== 200) {
      throw refusalOf(response.statusCode ?? 0, await bodyOf(response, this.#maxAnswerBytes));
    }
    // It ends by itself; one that does not has lost its other end.
    limit.extend(scope.seconds + this.#timeout);
    try {
      yield* watchEvents(response, this.#maxAnswerBytes);
    } catch (cause) {
      limit.signal.throwIfAborted();
      if (cause instanceof KubernetesError) throw cause;
      throw new KubernetesError('unreachable', 'the watch broke off', { cause });
    } finally {
      response.destroy();
    }
  }

  /** A document that is no object, such as `/openid/v1/jwks`. */
  async text(target: string, accept: string, signal?: AbortSignal): Promise<string> {
    return this.#send({ method: 'GET', target, accept }, signal);
  }

  close(): void {
    this.#wire.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #call(
    method: WireRequest['method'],
    target: string,
    body: WireRequest['body'],
    signal: AbortSignal | undefined,
  ): Promise<Readonly<Record<string, unknown>>> {
    return parseObject(await this.#send({ method, target, ...(body && { body }) }, signal));
  }

  async #send(request: WireRequest, signal: AbortSignal | undefined): Promise<string> {
    using limit = this.#limit(signal);
    try {
      const response = await this.#wire.open(request, limit.signal);
      const status = response.statusCode ?? 0;
      const text = await bodyOf(response, this.#maxAnswerBytes);
      if (status < 200 || status > 299) throw refusalOf(status, text);
      return text;
    } catch (cause) {
      limit.signal.throwIfAborted();
      if (cause instanceof KubernetesError) throw cause;
      throw new KubernetesError('unreachable', 'the answer of the Kubernetes API broke off', { cause });
    }
  }

  #limit(signal: AbortSignal | undefined): TimeLimit {
    return new TimeLimit(this.#clock, this.#timeout, signal);
  }
}

import type { KeyObject } from 'node:crypto';
import { IssuerError } from '@steeple/core';
import { isJsonObject, type JsonObject, parseJson, publicKeyFromJwk, SpiffeError } from '@steeple/spiffe';

/** What a cluster signs its tokens with, as far as it says so itself. */
export interface PublishedKeys {
  readonly issuer: string;
  /** By key ID. */
  readonly keys: ReadonlyMap<string, KeyObject>;
}

/** Where the keys are published; asked again when needed. */
export type LoadKeys = (signal: AbortSignal) => Promise<PublishedKeys>;

/** Seconds after which keys are asked for again: a key that was withdrawn counts no longer than that. */
const LIFE = 300;
/** Seconds between two questions because of a key that is not known: strangers can make up many. */
const PAUSE = 10;

/** The keys of one cluster, loaded on demand. */
export class ClusterKeys {
  readonly #load: LoadKeys;
  readonly #monotonic: () => number;
  #known: { readonly published: PublishedKeys; readonly at: number } | undefined;
  #loading: Promise<PublishedKeys> | undefined;

  constructor(load: LoadKeys, monotonic: () => number) {
    this.#load = load;
    this.#monotonic = monotonic;
  }

  /**
   * The key with this ID, if the cluster has it.
   *
   * @throws {IssuerError} `unavailable` if the keys are not known, or too long ago
   */
  async find(
    kid: string,
    signal: AbortSignal,
  ): Promise<{ readonly issuer: string; readonly key: KeyObject | undefined }> {
    const { issuer, keys } = await this.#current(kid, signal);
    return { issuer, key: keys.get(kid) };
  }

  async #current(kid: string, signal: AbortSignal): Promise<PublishedKeys> {
    const known = this.#known;
    const age = known === undefined ? Number.POSITIVE_INFINITY : this.#monotonic() - known.at;
    if (known !== undefined && age < LIFE && (known.published.keys.has(kid) || age < PAUSE)) return known.published;
    // One question for all who wait: it belongs to none of them, so it ends with none of them.
    this.#loading ??= this.#renew().finally(() => (this.#loading = undefined));
    const published = await this.#loading;
    signal.throwIfAborted();
    return published;
  }

  async #renew(): Promise<PublishedKeys> {
    const published = await this.#load(AbortSignal.timeout(LONGEST_LOAD_MS));
    this.#known = { published, at: this.#monotonic() };
    return published;
  }
}

/** The client has limits of its own; this one is for files on a network that is gone. */
const LONGEST_LOAD_MS = 60_000;

/**
 * The keys of a JWKS document that can sign tokens and have an ID; others are none of ours.
 *
 * @throws {IssuerError} `unavailable` for anything else, or if there is none
 */
export function parseClusterKeys(text: string, source: string): ReadonlyMap<string, KeyObject> {
  const list = documentOf(text, source)['keys'];
  const keys = new Map<string, KeyObject>();
  for (const jwk of Array.isArray(list) ? list : []) {
    if (!isJsonObject(jwk) || typeof jwk['kid'] !== 'string' || jwk['kid'] === '') continue;
    if (jwk['use'] !== undefined && jwk['use'] !== 'sig') continue;
    const key = keyOf(jwk);
    if (key) keys.set(jwk['kid'], key);
  }
  if (keys.size === 0) throw unusable(source, 'it holds no key that can be used');
  return keys;
}

/** @throws {IssuerError} `unavailable` */
export function issuerOf(discovery: string, source: string): string {
  const issuer = documentOf(discovery, source)['issuer'];
  if (typeof issuer === 'string' && issuer !== '') return issuer;
  throw unusable(source, 'it names no issuer');
}

function documentOf(text: string, source: string): JsonObject {
  try {
    const value = parseJson(text, { maxBytes: 1024 * 1024, maxDepth: 8 });
    if (isJsonObject(value)) return value;
  } catch (cause) {
    if (!(cause instanceof SpiffeError)) throw cause;
    throw unusable(source, cause.message);
  }
  throw unusable(source, 'it is no JSON object');
}

function keyOf(jwk: JsonObject): KeyObject | undefined {
  try {
    return publicKeyFromJwk(jwk);
  } catch (error) {
    if (error instanceof SpiffeError) return undefined;
    throw error;
  }
}

function unusable(source: string, reason: string): IssuerError {
  return new IssuerError('unavailable', `the keys of the cluster in ${source} cannot be used: ${reason}`);
}

import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { IssuerError } from '@steeple/core';
import { isJsonObject, type JsonObject, type JsonValue } from '@steeple/spiffe';
import { type CallOutside, type OutsideAnswer } from './call-outside.ts';
import { readJson, textOf } from './read-json.ts';

export interface SigningKeysOptions {
  /** Whose, for messages: "Google". */
  readonly owner: string;
  readonly url: URL;
  readonly ask: CallOutside;
  /** Unix seconds. */
  readonly now: () => number;
}

/** Seconds that keys are kept at least and at most, whatever the answer says. */
const SHORTEST = 60;
const LONGEST = 86_400;
const MAX_KEYS = 100;

/** The RSA keys that a provider signs tokens with, by key ID: fetched when first needed, kept as long as the provider says. */
export class SigningKeys {
  readonly #options: SigningKeysOptions;
  #keys: ReadonlyMap<string, KeyObject> = new Map();
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #staleAt = Number.NEGATIVE_INFINITY;
  #fetching: Promise<void> | undefined;

  constructor(options: SigningKeysOptions) {
    this.#options = options;
  }

  /**
   * A key. One that is not known is looked for again, once a minute at most.
   *
   * @throws {IssuerError} `unavailable`
   */
  async key(id: string, signal: AbortSignal): Promise<KeyObject | undefined> {
    const now = this.#options.now();
    const isNew = !this.#keys.has(id) && !(now < this.#fetchedAt + SHORTEST);
    if (isNew || !(now < this.#staleAt)) await this.#fetchOnce(signal);
    return this.#keys.get(id);
  }

  async #fetchOnce(signal: AbortSignal): Promise<void> {
    this.#fetching ??= this.#fetch(signal).finally(() => {
      this.#fetching = undefined;
    });
    await this.#fetching;
  }

  async #fetch(signal: AbortSignal): Promise<void> {
    const { owner, ask, url, now } = this.#options;
    const answer = await ask({ what: `the signing keys of ${owner}`, url, signal });
    if (answer.status !== 200) {
      throw new IssuerError('unavailable', `the signing keys of ${owner} cannot be had: HTTP status ${answer.status}`);
    }
    this.#keys = readKeys(readJson(answer.body, `the list of signing keys of ${owner}`));
    this.#fetchedAt = now();
    this.#staleAt = now() + Math.min(Math.max(lifetimeOf(answer, now()), SHORTEST), LONGEST);
  }
}

/** In either form: certificates in PEM by key ID, or a JWK set, of which keys of other kinds are left out. */
function readKeys(document: JsonObject): ReadonlyMap<string, KeyObject> {
  const { keys } = document;
  const entries: readonly (readonly [string, JsonValue | undefined])[] = Array.isArray(keys)
    ? (keys as readonly JsonValue[]).filter(isRsa).map((jwk) => [(isJsonObject(jwk) && textOf(jwk, 'kid')) || '', jwk])
    : Object.entries(document);
  if (entries.length > MAX_KEYS) throw unreadable();
  try {
    return new Map(entries.map(([id, value]) => [id, keyOf(value)]));
  } catch (cause) {
    throw unreadable(cause);
  }
}

function isRsa(jwk: JsonValue): boolean {
  return isJsonObject(jwk) && jwk['kty'] === 'RSA';
}

function keyOf(value: JsonValue | undefined): KeyObject {
  const key = typeof value === 'string' ? new X509Certificate(value).publicKey : keyOfJwk(value);
  if (key.asymmetricKeyType !== 'rsa' || (key.asymmetricKeyDetails?.modulusLength ?? 0) < 2048) throw unreadable();
  return key;
}

function keyOfJwk(value: JsonValue | undefined): KeyObject {
  if (!isJsonObject(value)) throw unreadable();
  const [n = '', e = ''] = [textOf(value, 'n'), textOf(value, 'e')];
  return createPublicKey({ key: { kty: 'RSA', n, e }, format: 'jwk' });
}

function lifetimeOf({ headers }: OutsideAnswer, now: number): number {
  const maxAge = /(?:^|[,\s])max-age=(\d{1,9})/i.exec(headers.get('cache-control') ?? '')?.[1];
  if (maxAge !== undefined) return Number(maxAge);
  const expires = Date.parse(headers.get('expires') ?? '') / 1000;
  return Number.isFinite(expires) ? expires - now : SHORTEST;
}

function unreadable(cause?: unknown): IssuerError {
  return new IssuerError('unavailable', 'the list of signing keys has an unusable key', { cause });
}

import { IssuerError } from '@steeple/core';
import { isJsonObject, type JsonObject, type JsonValue } from '@steeple/spiffe';
import { askOutside, type CallOutside } from '../cloud/call-outside.ts';
import { readJson, textOf } from '../cloud/read-json.ts';
import type { AzureTokens } from './azure-tokens.ts';

const GRAPH_VERSION = '2022-10-01';
const MAX_BYTES = 8 * 1024 * 1024;
/** A limit on lists that go on for ever. */
const MAX_PAGES = 500;

/** Azure Resource Manager and Resource Graph on behalf of one tenant. */
export class AzureApi {
  readonly #tokens: AzureTokens;
  readonly #management: URL;
  readonly #ask: CallOutside;

  constructor(tokens: AzureTokens, management: URL, ask: CallOutside) {
    this.#tokens = tokens;
    this.#management = management;
    this.#ask = ask;
  }

  /**
   * The rows that a query finds in one subscription.
   *
   * @throws {IssuerError} `unavailable`
   */
  async graph(subscriptionId: string, query: string, signal: AbortSignal): Promise<readonly JsonObject[]> {
    const url = new URL(`providers/Microsoft.ResourceGraph/resources?api-version=${GRAPH_VERSION}`, this.#management);
    const body = { subscriptions: [subscriptionId], query, options: { resultFormat: 'objectArray' } };
    const { data } = await this.#json({ url, what: "Azure's resource graph", body }, signal);
    if (!Array.isArray(data)) throw new IssuerError('unavailable', "the answer of Azure's resource graph has no data");
    return (data as readonly JsonValue[]).filter(isJsonObject);
  }

  /** One resource, or what is below a path. @throws {IssuerError} `unavailable` */
  get(path: string, what: string, signal: AbortSignal): Promise<JsonObject> {
    return this.#json({ url: new URL(path, this.#management), what }, signal);
  }

  /** The members of a list, page by page. @throws {IssuerError} `unavailable` */
  async *list(path: string, what: string, signal: AbortSignal): AsyncGenerator<JsonObject> {
    let url: URL | undefined = new URL(path, this.#management);
    for (let page = 0; url !== undefined; page++) {
      if (page === MAX_PAGES) throw new IssuerError('unavailable', `${what}: the list does not end`);
      const answer: JsonObject = await this.#json({ url, what }, signal);
      const { value } = answer;
      if (Array.isArray(value)) yield* (value as readonly JsonValue[]).filter(isJsonObject);
      url = this.#nextPage(textOf(answer, 'nextLink'), what);
    }
  }

  /** The token goes to Resource Manager only, whatever an answer says. */
  #nextPage(link: string | undefined, what: string): URL | undefined {
    if (!link) return undefined;
    const url = URL.canParse(link) ? new URL(link) : undefined;
    if (url?.origin === this.#management.origin) return url;
    throw new IssuerError('unavailable', `${what}: the next page is at another host`);
  }

  async #json(
    { url, what, body }: { readonly url: URL; readonly what: string; readonly body?: JsonObject },
    signal: AbortSignal,
  ): Promise<JsonObject> {
    const headers = {
      authorization: `Bearer ${await this.#tokens.get(signal)}`,
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    const content = body === undefined ? {} : { method: 'POST' as const, body: JSON.stringify(body) };
    const answer = await askOutside(this.#ask, { what, url, headers, ...content, maxBytes: MAX_BYTES, signal });
    return readJson(answer, what);
  }
}

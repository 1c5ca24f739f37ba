import { readFile } from 'node:fs/promises';
import { IssuerError } from '@steeple/core';
import { askOutside, type CallOutside } from '../cloud/call-outside.ts';
import { readJson, textOf } from '../cloud/read-json.ts';
import { isUuid } from './messages.ts';

export interface AzurePlaces {
  /** Where tenants are looked up and tokens are had. */
  readonly login: URL;
  /** Azure Resource Manager. */
  readonly management: URL;
  /** The metadata service of the machine that the server runs on. */
  readonly metadata: URL;
}

/** How the server proves itself to Azure; `default`: by the environment, a pod's workload identity, or the machine's identity. */
export type AzureCredential =
  | { readonly kind: 'secret'; readonly appId: string; readonly appSecret: string }
  | { readonly kind: 'token'; readonly appId: string; readonly tokenPath: string }
  | { readonly kind: 'default'; readonly environment: Readonly<Record<string, string | undefined>> };

export interface AzureTokensOptions {
  /** A tenant's domain or ID. */
  readonly tenant: string;
  readonly credential: AzureCredential;
  readonly places: AzurePlaces;
  readonly ask: CallOutside;
  /** Unix seconds. */
  readonly now: () => number;
}

const EARLY = 120;
const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** A tenant's ID, and access tokens for Resource Manager in it; both are kept. */
export class AzureTokens {
  readonly #options: AzureTokensOptions;
  #tenantId: string | undefined;
  #kept: { readonly token: string; readonly until: number } | undefined;

  constructor(options: AzureTokensOptions) {
    this.#options = options;
  }

  /** The ID of the tenant with this domain. @throws {IssuerError} `unavailable` */
  async tenantId(signal: AbortSignal): Promise<string> {
    const { tenant, places, ask } = this.#options;
    if (isUuid(tenant)) return tenant;
    if (this.#tenantId !== undefined) return this.#tenantId;
    const what = 'the ID of the tenant';
    const url = new URL(`${encodeURIComponent(tenant)}/.well-known/openid-configuration`, places.login);
    const issuer = textOf(readJson(await askOutside(ask, { what, url, maxBytes: 65_536, signal }), what), 'issuer');
    const id = /^https:\/\/sts\.[a-z.]+\/([^/]+)\/$/.exec(issuer ?? '')?.[1];
    if (id === undefined || !isUuid(id)) throw new IssuerError('unavailable', `${what} is not in Azure's answer`);
    this.#tenantId = id;
    return id;
  }

  /** @throws {IssuerError} `unavailable`, `failed-precondition` */
  async get(signal: AbortSignal): Promise<string> {
    const now = this.#options.now();
    if (this.#kept !== undefined && now < this.#kept.until - EARLY) return this.#kept.token;
    const answer = readJson(await this.#ask(signal), "Azure's answer with a token");
    const token = textOf(answer, 'access_token');
    if (!token || !/^[\x21-\x7e]+$/.test(token)) throw new IssuerError('unavailable', 'Azure gave no access token');
    // The metadata service writes the number as a text.
    const life = Number(answer['expires_in']);
    this.#kept = { token, until: now + (Number.isFinite(life) ? life : 0) };
    return token;
  }

  async #ask(signal: AbortSignal): Promise<Uint8Array> {
    const { credential } = this.#options;
    if (credential.kind === 'secret')
      return await this.#asApp(credential.appId, { client_secret: credential.appSecret }, signal);
    if (credential.kind === 'token') return await this.#withAssertion(credential.appId, credential.tokenPath, signal);
    const {
      AZURE_CLIENT_ID: appId,
      AZURE_CLIENT_SECRET: secret,
      AZURE_FEDERATED_TOKEN_FILE: file,
    } = credential.environment;
    if (appId && secret) return await this.#asApp(appId, { client_secret: secret }, signal);
    if (appId && file) return await this.#withAssertion(appId, file, signal);
    return await this.#asMachine(appId, signal);
  }

  async #withAssertion(appId: string, file: string, signal: AbortSignal): Promise<Uint8Array> {
    let assertion: string;
    try {
      assertion = (await readFile(file, 'utf8')).trim();
    } catch (cause) {
      throw new IssuerError('failed-precondition', `the token file ${file} cannot be read`, { cause });
    }
    return await this.#asApp(appId, { client_assertion_type: ASSERTION, client_assertion: assertion }, signal);
  }

  async #asApp(appId: string, proof: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Uint8Array> {
    const { places, ask } = this.#options;
    const scope = `${places.management.origin}/.default`;
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: appId,
      scope,
      ...proof,
    }).toString();
    return await askOutside(ask, {
      what: 'an access token of Azure',
      url: new URL(`${await this.tenantId(signal)}/oauth2/v2.0/token`, places.login),
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body,
      maxBytes: 65_536,
      signal,
    });
  }

  async #asMachine(clientId: string | undefined, signal: AbortSignal): Promise<Uint8Array> {
    const { places, ask } = this.#options;
    const url = new URL('metadata/identity/oauth2/token', places.metadata);
    url.searchParams.set('api-version', '2018-02-01');
    url.searchParams.set('resource', `${places.management.origin}/`);
    if (clientId) url.searchParams.set('client_id', clientId);
    const headers = { metadata: 'true' };
    return await askOutside(ask, { what: "a token of the machine's identity", url, headers, maxBytes: 65_536, signal });
  }
}

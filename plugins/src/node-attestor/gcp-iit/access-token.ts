import { sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { IssuerError } from '@steeple/core';
import type { JsonObject } from '@steeple/spiffe';
import { askOutside, type CallOutside } from '../cloud/call-outside.ts';
import { readJson, textOf } from '../cloud/read-json.ts';

export interface AccessTokenOptions {
  /** A service account's key, or other application default credentials. Without it the machine's own account. */
  readonly file: string | undefined;
  /** Of the metadata server. */
  readonly metadataHost: string;
  readonly ask: CallOutside;
  /** Unix seconds. */
  readonly now: () => number;
}

const SCOPE = 'https://www.googleapis.com/auth/compute.readonly';
/** Seconds that an assertion is good for. */
const ASSERTION_LIFE = 300;
const EARLY = 120;

/** The server's own access token for Google's APIs, kept until shortly before its end. */
export class AccessTokens {
  readonly #options: AccessTokenOptions;
  #kept: { readonly token: string; readonly until: number } | undefined;

  constructor(options: AccessTokenOptions) {
    this.#options = options;
  }

  /** @throws {IssuerError} `unavailable`, `failed-precondition` */
  async get(signal: AbortSignal): Promise<string> {
    const now = this.#options.now();
    if (this.#kept !== undefined && now < this.#kept.until - EARLY) return this.#kept.token;
    const answer = await this.#ask(signal);
    const token = textOf(answer, 'access_token');
    if (!token || !/^[\x21-\x7e]+$/.test(token)) throw new IssuerError('unavailable', 'Google gave no access token');
    const life = answer['expires_in'];
    this.#kept = { token, until: now + (typeof life === 'number' ? life : 0) };
    return token;
  }

  async #ask(signal: AbortSignal): Promise<JsonObject> {
    const { file, metadataHost, ask } = this.#options;
    const what = 'an access token';
    if (file !== undefined) return await this.#exchange(await credentialsIn(file), signal);
    const url = new URL(`http://${metadataHost}/computeMetadata/v1/instance/service-accounts/default/token`);
    const headers = { 'metadata-flavor': 'Google' };
    return readJson(await askOutside(ask, { what, url, headers, maxBytes: 65_536, signal }), what);
  }

  async #exchange(credentials: JsonObject, signal: AbortSignal): Promise<JsonObject> {
    const address = textOf(credentials, 'token_uri') ?? 'https://oauth2.googleapis.com/token';
    if (!URL.canParse(address) || !/^https?:/.test(address)) throw unusable('has no usable token_uri');
    const body = new URLSearchParams(this.#grant(credentials, address)).toString();
    const answer = await askOutside(this.#options.ask, {
      what: 'an access token',
      url: new URL(address),
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body,
      maxBytes: 65_536,
      signal,
    });
    return readJson(answer, 'the answer with an access token');
  }

  #grant(credentials: JsonObject, audience: string): Record<string, string> {
    const member = (name: string): string => {
      const value = textOf(credentials, name);
      if (value) return value;
      throw unusable(`has no ${name}`);
    };
    if (credentials['type'] === 'authorized_user') {
      return {
        grant_type: 'refresh_token',
        client_id: member('client_id'),
        client_secret: member('client_secret'),
        refresh_token: member('refresh_token'),
      };
    }
    if (credentials['type'] !== 'service_account') throw unusable('is neither of a service account nor of a user');
    const now = Math.floor(this.#options.now());
    const claims = { iss: member('client_email'), scope: SCOPE, aud: audience, iat: now, exp: now + ASSERTION_LIFE };
    const assertion = signed(
      { alg: 'RS256', typ: 'JWT', kid: member('private_key_id') },
      claims,
      member('private_key'),
    );
    return { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion };
  }
}

function signed(header: object, claims: object, privateKey: string): string {
  const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  try {
    return `${text}.${sign('sha256', Buffer.from(text), privateKey).toString('base64url')}`;
  } catch {
    // Without a cause, which might tell of the key.
    throw unusable('has a private key that cannot sign');
  }
}

async function credentialsIn(file: string): Promise<JsonObject> {
  try {
    return readJson(await readFile(file), `the credentials file ${file}`, 'failed-precondition');
  } catch (cause) {
    if (cause instanceof IssuerError) throw cause;
    throw new IssuerError('failed-precondition', `the credentials file ${file} cannot be read`, { cause });
  }
}

function unusable(reason: string): IssuerError {
  return new IssuerError('failed-precondition', `the file with Google's credentials ${reason}`);
}

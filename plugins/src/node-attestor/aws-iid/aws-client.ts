import { IssuerError } from '@steeple/core';
import { isJsonObject, type JsonObject } from '@steeple/spiffe';
import type { CallOutside } from '../cloud/call-outside.ts';
import { readJson } from '../cloud/read-json.ts';
import { type CredentialSettings, findCredentials, instantOf } from './credentials.ts';
import { type AwsService, endpointOf, type Partition } from './partition.ts';
import { remember } from './remember.ts';
import { type AwsCredentials, type AwsRequest, signRequest } from './sign-request.ts';
import { elementAt, readXml, textAt, type XmlElement } from './xml.ts';

export interface AwsClientOptions {
  readonly partition: Partition;
  readonly credentials: Omit<CredentialSettings, 'assumeWithToken'>;
  /** Asked in place of AWS's own endpoints. */
  readonly endpoint: URL | undefined;
  readonly ask: CallOutside;
  /** Unix seconds. */
  readonly now: () => number;
}

/** On whose behalf, and where. */
export interface AwsPlace {
  readonly region: string;
  /** A role's ARN to assume first. */
  readonly role?: string | undefined;
}

/** Seconds for one call to AWS. */
const TIMEOUT = 20;
const MAX_BYTES = 8 * 1024 * 1024;
/** Seconds before its end that a credential is renewed. */
const EARLY = 300;
const FORM = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
const STS_VERSION = '2011-06-15';

/** The few calls of AWS's APIs that attestation needs, signed; credentials are kept until shortly before they end. */
export class AwsClient {
  readonly #options: AwsClientOptions;
  readonly #credentials = new Map<string, AwsCredentials>();

  constructor(options: AwsClientOptions) {
    this.#options = options;
  }

  /** A call in the Query protocol. @throws {IssuerError} `unavailable`, `internal` when AWS refuses */
  async query(
    service: AwsService,
    place: AwsPlace,
    parameters: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<XmlElement> {
    const request = this.#request(service, place.region, 'POST', FORM, new URLSearchParams(parameters).toString());
    const what = parameters['Action'] ?? service;
    return readXml(await this.#signed(request, place, what, signal));
  }

  /** A call in JSON: with a target, or by path and query. @throws {IssuerError} as `query` */
  async json(
    service: AwsService,
    place: AwsPlace,
    call: { readonly what: string; readonly target?: string; readonly path?: string; readonly body?: JsonObject },
    signal: AbortSignal,
  ): Promise<JsonObject> {
    const headers = call.target
      ? { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': call.target }
      : { accept: 'application/json' };
    const method = call.target ? 'POST' : 'GET';
    const body = call.target ? JSON.stringify(call.body ?? {}) : '';
    const request = this.#request(service, place.region, method, headers, body, call.path);
    return readJson(await this.#signed(request, place, call.what, signal), `AWS's answer to ${call.what}`);
  }

  #request(
    service: AwsService,
    region: string,
    method: 'GET' | 'POST',
    headers: Readonly<Record<string, string>>,
    body: string,
    path = '',
  ): AwsRequest {
    const endpoint = endpointOf(this.#options.partition, service, region, this.#options.endpoint);
    return { endpoint, method, headers, body, url: new URL(path, endpoint.url) };
  }

  async #signed(request: AwsRequest, { region, role }: AwsPlace, what: string, signal: AbortSignal): Promise<string> {
    const credentials = await this.#credentialsFor(region, role, signal);
    return await this.#send(request, signRequest(request, credentials, this.#options.now()), what, signal);
  }

  async #send(
    { url, method, body }: AwsRequest,
    headers: Readonly<Record<string, string>>,
    what: string,
    signal: AbortSignal,
  ): Promise<string> {
    const content = method === 'POST' ? { body } : {};
    const call = { what: `AWS ${what}`, url, method, headers, timeout: TIMEOUT, maxBytes: MAX_BYTES, signal };
    const answer = await this.#options.ask({ ...call, ...content });
    const text = Buffer.from(answer.body.buffer, answer.body.byteOffset, answer.body.byteLength).toString('utf8');
    if (answer.status === 200) return text;
    const code = answer.status < 500 ? 'internal' : 'unavailable';
    throw new IssuerError(code, `AWS refused ${what}: HTTP status ${answer.status}${errorCodeOf(text)}`);
  }

  async #credentialsFor(region: string, role: string | undefined, signal: AbortSignal): Promise<AwsCredentials> {
    const key = `${role ?? ''}@${region}`;
    const kept = this.#credentials.get(key);
    if (kept !== undefined && (kept.expiresAt ?? Number.POSITIVE_INFINITY) - EARLY > this.#options.now()) return kept;
    const assumeWithToken: CredentialSettings['assumeWithToken'] = (arn, token, during) =>
      this.#assume('AssumeRoleWithWebIdentity', region, { RoleArn: arn, WebIdentityToken: token }, undefined, during);
    const settings = { ...this.#options.credentials, assumeWithToken };
    const fresh = role
      ? await this.#assume('AssumeRole', region, { RoleArn: role }, { region }, signal)
      : await findCredentials(settings, this.#options.ask, signal);
    return remember(this.#credentials, key, fresh);
  }

  /** Signed on behalf of `place`, or not at all. */
  async #assume(
    action: string,
    region: string,
    parameters: Readonly<Record<string, string>>,
    place: AwsPlace | undefined,
    signal: AbortSignal,
  ): Promise<AwsCredentials> {
    const form = { Action: action, Version: STS_VERSION, RoleSessionName: 'steeple-server', ...parameters };
    const request = this.#request('sts', region, 'POST', FORM, new URLSearchParams(form).toString());
    const text =
      place === undefined
        ? await this.#send(request, request.headers, action, signal)
        : await this.#signed(request, place, action, signal);
    const credentials = elementAt(readXml(text), `${action}Result`, 'Credentials');
    const accessKeyId = textAt(credentials, 'AccessKeyId');
    const secretAccessKey = textAt(credentials, 'SecretAccessKey');
    if (!accessKeyId || !secretAccessKey) throw new IssuerError('unavailable', `AWS ${action} gave no credentials`);
    const expiresAt = instantOf(textAt(credentials, 'Expiration'));
    return { accessKeyId, secretAccessKey, sessionToken: textAt(credentials, 'SessionToken'), expiresAt };
  }
}

/** AWS's own word for what is wrong, in either form of answer; nothing else of the answer is repeated. */
function errorCodeOf(text: string): string {
  const code = /<Code>([A-Za-z.]{1,64})<\/Code>/.exec(text)?.[1] ?? jsonErrorOf(text);
  return code === undefined ? '' : ` (${code})`;
}

function jsonErrorOf(text: string): string | undefined {
  try {
    const answer = JSON.parse(text) as JsonObject;
    const type = isJsonObject(answer) ? answer['__type'] : undefined;
    return typeof type === 'string' ? /([A-Za-z]{1,64})$/.exec(type)?.[1] : undefined;
  } catch {
    return undefined;
  }
}

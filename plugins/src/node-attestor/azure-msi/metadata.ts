import { IssuerError } from '@steeple/core';
import { isJsonObject } from '@steeple/spiffe';
import { isUuid } from '../azure-imds/messages.ts';
import { askOutside, type CallOutside } from '../cloud/call-outside.ts';
import { readJson, textOf } from '../cloud/read-json.ts';

const HEADERS = { metadata: 'true' };
const MAX_BYTES = 256 * 1024;

/** A token of the machine's managed identity for an audience. @throws {IssuerError} `unavailable` */
export async function identityToken(
  endpoint: URL,
  resource: string,
  ask: CallOutside,
  signal: AbortSignal,
): Promise<string> {
  const url = new URL('metadata/identity/oauth2/token', endpoint);
  url.searchParams.set('api-version', '2018-02-01');
  url.searchParams.set('resource', resource);
  const what = "a token of the machine's identity";
  const answer = readJson(await askOutside(ask, { what, url, headers: HEADERS, maxBytes: MAX_BYTES, signal }), what);
  const token = textOf(answer, 'access_token');
  if (!token) throw new IssuerError('unavailable', `${what} is not in the answer`);
  return token;
}

/** The subscription that this machine is in. @throws {IssuerError} `unavailable` */
export async function ownSubscription(endpoint: URL, ask: CallOutside, signal: AbortSignal): Promise<string> {
  const url = new URL('metadata/instance', endpoint);
  url.searchParams.set('api-version', '2025-04-07');
  url.searchParams.set('format', 'json');
  const what = 'the metadata of this machine';
  const { compute } = readJson(
    await askOutside(ask, { what, url, headers: HEADERS, maxBytes: MAX_BYTES, signal }),
    what,
  );
  const id = isJsonObject(compute) ? textOf(compute, 'subscriptionId') : undefined;
  if (id === undefined || !isUuid(id)) throw new IssuerError('unavailable', `${what} has no subscription`);
  return id;
}

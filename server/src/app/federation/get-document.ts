import { type IncomingMessage, request } from 'node:http';
import { MAX_BUNDLE_BYTES } from '@steeple/spiffe';
import type { EndpointAddress } from './bundle-endpoint-address.ts';
import type { EndpointConnection } from './connect-endpoint.ts';

/** What an endpoint answered: a document, or where to ask instead. */
export type EndpointAnswer =
  | { readonly kind: 'document'; readonly body: Uint8Array }
  | { readonly kind: 'redirect'; readonly location: string };

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Asks for a bundle over a connection that is authenticated already, and ends the connection. No cookies, no credentials,
 * no compression; an answer that is too long is cut off.
 */
export const getDocument = async (
  { socket }: EndpointConnection,
  address: EndpointAddress,
  signal: AbortSignal,
): Promise<EndpointAnswer> => {
  try {
    const response = await respond({ socket }, address, signal);
    const status = response.statusCode ?? 0;
    const { location } = response.headers;
    if (REDIRECTS.has(status) && location !== undefined) {
      return { kind: 'redirect', location: new URL(location, address.url).toString() };
    }
    if (status !== 200) throw new Error(`unexpected status ${status} fetching bundle`);
    return { kind: 'document', body: await bodyOf(response) };
  } finally {
    socket.destroy();
  }
};

const respond = (
  { socket }: Pick<EndpointConnection, 'socket'>,
  { authority, target }: EndpointAddress,
  signal: AbortSignal,
): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const headers = {
      host: authority,
      accept: 'application/json',
      'accept-encoding': 'identity',
      'user-agent': 'steeple',
      connection: 'close',
    };
    const call = request({ createConnection: () => socket, path: target, method: 'GET', headers, signal });
    call.once('response', resolve).once('error', reject).end();
  });

const bodyOf = async (response: IncomingMessage): Promise<Uint8Array> => {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response as AsyncIterable<Uint8Array>) {
    length += part.length;
    if (length > MAX_BUNDLE_BYTES) throw new Error(`the bundle is longer than ${MAX_BUNDLE_BYTES} bytes`);
    parts.push(part);
  }
  if (!response.complete) throw new Error('the answer ended too early');
  return Buffer.concat(parts);
};

import { createHash, createHmac } from 'node:crypto';
import type { ServiceEndpoint } from './partition.ts';

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  /** Unix seconds; absent for ever. */
  readonly expiresAt?: number | undefined;
}

export interface AwsRequest {
  readonly endpoint: ServiceEndpoint;
  readonly method: 'GET' | 'POST';
  /** Path and query belong to it; the path is one that needs no escapes. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';

/** The headers of a request with its signature, AWS Signature Version 4. `now` in Unix seconds. */
export function signRequest(request: AwsRequest, credentials: AwsCredentials, now: number): Record<string, string> {
  const { endpoint, method, url, body } = request;
  const instant = new Date(Math.floor(now) * 1000).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const day = instant.slice(0, 8);
  const signed: Record<string, string> = {
    ...request.headers,
    host: url.host,
    'x-amz-date': instant,
    ...(credentials.sessionToken === undefined ? {} : { 'x-amz-security-token': credentials.sessionToken }),
  };
  const names = Object.keys(signed).toSorted();
  const canonical = [
    method,
    url.pathname,
    queryOf(url),
    ...names.map((name) => `${name}:${signed[name]?.trim()}`),
    '',
    names.join(';'),
    sha256(body),
  ].join('\n');
  const scope = `${day}/${endpoint.region}/${endpoint.service}/aws4_request`;
  const text = [ALGORITHM, instant, scope, sha256(canonical)].join('\n');
  const key = [day, endpoint.region, endpoint.service, 'aws4_request'].reduce<Uint8Array>(
    (above, part) => hmac(above, part),
    Buffer.from(`AWS4${credentials.secretAccessKey}`),
  );
  const signature = Buffer.from(hmac(key, text)).toString('hex');
  const { host: _, ...headers } = signed;
  return {
    ...headers,
    authorization: `${ALGORITHM} Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`,
  };
}

function queryOf(url: URL): string {
  return [...url.searchParams]
    .map(([name, value]) => `${escape(name)}=${escape(value)}`)
    .toSorted()
    .join('&');
}

function escape(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: Uint8Array, text: string): Uint8Array {
  return createHmac('sha256', key).update(text).digest();
}

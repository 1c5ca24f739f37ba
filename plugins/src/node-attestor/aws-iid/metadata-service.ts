import { IssuerError } from '@steeple/core';
import { askOutside, type CallOutside } from '../cloud/call-outside.ts';

const ENDPOINT = 'http://169.254.169.254';
/** Seconds that a session token lives: long enough for the few requests that follow. */
const TOKEN_TTL = 300;
const MAX_BYTES = 64 * 1024;
const TIMEOUT = 5;

export interface MetadataQuestion {
  /** Default: the link-local address. */
  readonly endpoint?: string | undefined;
  /** Below `/latest/`. */
  readonly path: string;
  readonly what: string;
  readonly ask: CallOutside;
  readonly signal: AbortSignal;
}

/**
 * Asks EC2's instance metadata service, version 2 only: a fresh token first, which a forged request cannot get.
 *
 * @throws {IssuerError} `unavailable`; `failed-precondition` for an endpoint that is no address
 */
export async function askMetadata({ endpoint, path, what, ask, signal }: MetadataQuestion): Promise<string> {
  const base = baseOf(endpoint || ENDPOINT);
  const common = { maxBytes: MAX_BYTES, timeout: TIMEOUT, signal };
  const token = await askOutside(ask, {
    ...common,
    what: 'a session token of the instance metadata service (in a container the hop limit of the instance must be 2)',
    url: new URL('latest/api/token', base),
    method: 'PUT',
    headers: { 'x-aws-ec2-metadata-token-ttl-seconds': String(TOKEN_TTL) },
  });
  const headers = { 'x-aws-ec2-metadata-token': headerText(token) };
  const answer = await askOutside(ask, { ...common, what, url: new URL(`latest/${path}`, base), headers });
  return new TextDecoder('utf-8').decode(answer);
}

function headerText(token: Uint8Array): string {
  const text = Buffer.from(token.buffer, token.byteOffset, token.byteLength).toString('latin1').trim();
  if (/^[\x21-\x7e]{1,1024}$/.test(text)) return text;
  throw new IssuerError('unavailable', 'the instance metadata service gave no usable session token');
}

/** SPIRE's documentation writes the endpoint with `/latest`, AWS's libraries without. */
function baseOf(endpoint: string): URL {
  if (!URL.canParse(endpoint) || !/^https?:\/\//.test(endpoint)) {
    throw new IssuerError('failed-precondition', 'the endpoint of the instance metadata service is no http address');
  }
  return new URL(`${endpoint.replace(/\/+$/, '').replace(/\/latest$/, '')}/`);
}

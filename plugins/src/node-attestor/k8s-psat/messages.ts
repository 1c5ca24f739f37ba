import { IssuerError } from '@steeple/core';
import { isJsonObject, type JsonValue, parseJson } from '@steeple/spiffe';

/** What an agent sends: the name by which the server knows its cluster, and its token. */
export interface PsatPayload {
  readonly cluster: string;
  readonly token: string;
}

const LIMITS = { maxBytes: 128 * 1024, maxDepth: 4 };

/** `{"cluster":"…","token":"…"}`, as SPIRE has it. */
export function formatPayload({ cluster, token }: PsatPayload): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ cluster, token }));
}

/** @throws {IssuerError} `invalid-argument` */
export function parsePayload(data: Uint8Array): PsatPayload {
  let value: JsonValue;
  try {
    value = parseJson(data, LIMITS);
  } catch {
    // Without the cause: it may quote the token.
    throw new IssuerError('invalid-argument', 'failed to unmarshal data payload: it is not readable as JSON');
  }
  if (!isJsonObject(value)) throw missing('cluster');
  return { cluster: text(value['cluster']) ?? fail('cluster'), token: text(value['token']) ?? fail('token') };
}

function text(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function fail(field: string): never {
  throw missing(field);
}

function missing(field: string): IssuerError {
  return new IssuerError('invalid-argument', `missing ${field} in attestation data`);
}

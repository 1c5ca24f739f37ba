import { IssuerError, type IssuerErrorCode } from '@steeple/core';
import { isJsonObject, type JsonObject, parseJson, SpiffeError } from '@steeple/spiffe';

/**
 * A JSON object from outside, each member once.
 *
 * @throws {IssuerError} with this code; the message names `what`, never the text
 */
export function readJson(text: string | Uint8Array, what: string, code: IssuerErrorCode = 'unavailable'): JsonObject {
  try {
    const value = parseJson(text, { maxBytes: 16 * 1024 * 1024, maxDepth: 32 });
    if (isJsonObject(value)) return value;
  } catch (cause) {
    if (!(cause instanceof SpiffeError)) throw cause;
    throw new IssuerError(code, `${what} is not readable: ${cause.message}`, { cause });
  }
  throw new IssuerError(code, `${what} is no JSON object`);
}

/** The member if it is a text, otherwise undefined. */
export function textOf(object: JsonObject, member: string): string | undefined {
  const value = Object.hasOwn(object, member) ? object[member] : undefined;
  return typeof value === 'string' ? value : undefined;
}

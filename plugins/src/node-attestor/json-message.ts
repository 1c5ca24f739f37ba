import { isJsonObject, type JsonValue } from '@steeple/spiffe';

/** A message as SPIRE's attestors have it: JSON in UTF-8. */
export function encodeMessage(value: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** A member of an object, or undefined for anything else; own members only. */
export function member(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

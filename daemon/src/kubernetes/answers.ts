import type { IncomingMessage } from 'node:http';
import { KubernetesError } from './kubernetes-error.ts';
import type { KubernetesObject } from './resource.ts';

type Json = Readonly<Record<string, unknown>>;

/** Longest text of the API's that is passed on. */
const LONGEST_MESSAGE = 500;

/**
 * The whole body of an answer.
 *
 * @throws {KubernetesError} `answer` if it is longer than `limit` bytes or ends too early
 */
export async function bodyOf(response: IncomingMessage, limit: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response as AsyncIterable<Uint8Array>) {
    length += part.length;
    if (length > limit) throw new KubernetesError('answer', `the Kubernetes API answered more than ${limit} bytes`);
    parts.push(part);
  }
  if (!response.complete) throw new KubernetesError('unreachable', 'the answer of the Kubernetes API ended too early');
  return Buffer.concat(parts).toString('utf8');
}

/** @throws {KubernetesError} `answer` */
export function parseObject(text: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message would quote the text.
    throw new KubernetesError('answer', 'the Kubernetes API answered something that is not JSON');
  }
  if (isObject(value)) return value;
  throw new KubernetesError('answer', 'the Kubernetes API answered JSON that is not an object');
}

/** What the API says when it refuses: a `Status`, or anything else from what stands before it. */
export function refusalOf(httpStatus: number, text: string): KubernetesError {
  let status: Json = {};
  try {
    const parsed = parseObject(text);
    if (parsed['kind'] === 'Status') status = parsed;
  } catch {}
  return errorOfStatus(status, httpStatus);
}

/** From a `Status` object, as it also comes in a watch. */
export function errorOfStatus(given: Json, httpStatus = 500): KubernetesError {
  const { code, reason, message } = given;
  const status = typeof code === 'number' ? code : httpStatus;
  const said = typeof message === 'string' && message !== '' ? message : 'no reason given';
  return new KubernetesError('status', `the Kubernetes API answered ${status}: ${printable(said)}`, {
    status,
    reason: typeof reason === 'string' ? reason : undefined,
  });
}

/**
 * An object with the metadata that every object has.
 *
 * @throws {KubernetesError} `answer`, naming the field
 */
export function checkObject(value: unknown): KubernetesObject {
  if (!isObject(value)) throw lacking('an object');
  const { metadata } = value;
  if (!isObject(metadata)) throw lacking('metadata');
  if (typeof metadata['name'] !== 'string' || metadata['name'] === '') throw lacking('metadata.name');
  for (const field of ['namespace', 'uid', 'resourceVersion', 'deletionTimestamp']) {
    const found = metadata[field];
    if (found !== undefined && typeof found !== 'string') throw lacking(`metadata.${field}`);
  }
  for (const field of ['labels', 'annotations']) {
    if (!isTexts(metadata[field])) throw lacking(`metadata.${field}`);
  }
  return value as unknown as KubernetesObject;
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The API writes `null` for what is empty. */
function isTexts(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return isObject(value) && Object.values(value).every((text) => typeof text === 'string');
}

function lacking(what: string): KubernetesError {
  return new KubernetesError('answer', `the Kubernetes API answered an object without a usable ${what}`);
}

function printable(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ').slice(0, LONGEST_MESSAGE);
}

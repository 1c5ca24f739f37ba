import { IssuerError } from '@steeple/core';
import { isJsonObject, type JsonObject, type JsonValue } from '@steeple/spiffe';
import type { CallOutside } from '../cloud/call-outside.ts';
import { askOutside } from '../cloud/call-outside.ts';
import { readJson, textOf } from '../cloud/read-json.ts';
import type { AccessTokens } from './access-token.ts';
import type { InstanceClaims } from './identity-token.ts';

export interface ComputeInstanceOptions {
  readonly endpoint: URL;
  readonly tokens: AccessTokens;
  readonly ask: CallOutside;
  readonly labelKeys: ReadonlySet<string>;
  readonly metadataKeys: ReadonlySet<string>;
  /** In bytes. */
  readonly maxMetadataValueSize: number;
}

/** Metadata may have half a megabyte. */
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * The selector values that Compute Engine's API knows of an instance: its tags, and the labels and metadata with allowed keys.
 *
 * @throws {IssuerError} `unavailable`; `permission-denied` if another instance has the name by now, or a value is too long
 */
export async function instanceSelectorValues(
  options: ComputeInstanceOptions,
  claims: InstanceClaims,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const instance = await fetchInstance(options, claims, signal);
  const tags = isJsonObject(instance['tags']) ? itemsOf(instance['tags']) : [];
  const labels = isJsonObject(instance['labels']) ? Object.entries(instance['labels']) : [];
  const metadata = isJsonObject(instance['metadata']) ? itemsOf(instance['metadata']) : [];
  return [
    ...tags.flatMap((tag) => (typeof tag === 'string' ? `tag:${tag}` : [])),
    ...labels.flatMap(([key, value]) => (options.labelKeys.has(key) ? `label:${key}:${stringOf(value)}` : [])),
    ...metadata.flatMap((item) => metadataValue(item, options)),
  ];
}

async function fetchInstance(
  { endpoint, tokens, ask }: ComputeInstanceOptions,
  { projectId, zone, instanceName, instanceId }: InstanceClaims,
  signal: AbortSignal,
): Promise<JsonObject> {
  const [project, place, name] = [projectId, zone, instanceName].map(encodeURIComponent);
  const what = 'the instance in Compute Engine';
  const answer = await askOutside(ask, {
    what,
    url: new URL(`compute/v1/projects/${project}/zones/${place}/instances/${name}`, endpoint),
    headers: { authorization: `Bearer ${await tokens.get(signal)}`, accept: 'application/json' },
    maxBytes: MAX_BYTES,
    signal,
  });
  const instance = readJson(answer, what);
  // A name is free again when its instance is gone.
  if (textOf(instance, 'id') === instanceId) return instance;
  throw new IssuerError('permission-denied', 'gcp_iit: another instance has the name that is in the token');
}

function metadataValue(item: JsonValue, { metadataKeys, maxMetadataValueSize }: ComputeInstanceOptions): string[] {
  const key = isJsonObject(item) ? textOf(item, 'key') : undefined;
  if (!isJsonObject(item) || key === undefined || !metadataKeys.has(key)) return [];
  const value = stringOf(item['value']);
  if (Buffer.byteLength(value) <= maxMetadataValueSize) return [`metadata:${key}:${value}`];
  throw new IssuerError('permission-denied', `gcp_iit: metadata "${key}" exceeds max_metadata_value_size`);
}

function itemsOf(object: JsonObject): readonly JsonValue[] {
  const { items } = object;
  return Array.isArray(items) ? items : [];
}

function stringOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

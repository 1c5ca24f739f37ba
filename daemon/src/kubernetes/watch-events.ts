import type { IncomingMessage } from 'node:http';
import { checkObject, errorOfStatus, isObject, parseObject } from './answers.ts';
import { KubernetesError } from './kubernetes-error.ts';
import type { KubernetesObject } from './resource.ts';

export type WatchEvent =
  | { readonly kind: 'put' | 'removed'; readonly object: KubernetesObject; readonly resourceVersion: string }
  | { readonly kind: 'bookmark'; readonly resourceVersion: string };

const KINDS = { ADDED: 'put', MODIFIED: 'put', DELETED: 'removed' } as const;

/**
 * The events of a watch's answer, one JSON object a line.
 *
 * @throws {KubernetesError} `status` for an error event, 410 above all: what was asked for is forgotten
 */
export async function* watchEvents(response: IncomingMessage, longest: number): AsyncGenerator<WatchEvent> {
  for await (const line of linesOf(response, longest)) {
    const { type, object } = parseObject(line);
    if (type === 'ERROR') throw errorOfStatus(isObject(object) ? object : {});
    if (type === 'BOOKMARK') yield { kind: 'bookmark', resourceVersion: versionOf(object) };
    // Kinds of events may be added: they are no changes of objects.
    if (typeof type !== 'string' || !Object.hasOwn(KINDS, type)) continue;
    const kind = KINDS[type as keyof typeof KINDS];
    yield { kind, object: checkObject(object), resourceVersion: versionOf(object) };
  }
}

function versionOf(object: unknown): string {
  const metadata = isObject(object) ? object['metadata'] : undefined;
  const version = isObject(metadata) ? metadata['resourceVersion'] : undefined;
  if (typeof version === 'string' && version !== '') return version;
  throw new KubernetesError('answer', 'the Kubernetes API sent an event without metadata.resourceVersion');
}

async function* linesOf(response: IncomingMessage, longest: number): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    let rest = chunk;
    for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
      const line = Buffer.concat([...parts, rest.subarray(0, end)]).toString('utf8');
      [parts, length, rest] = [[], 0, rest.subarray(end + 1)];
      if (line.trim() !== '') yield line;
    }
    parts.push(rest);
    length += rest.length;
    if (length > longest) throw new KubernetesError('answer', `an event is longer than ${longest} bytes`);
  }
}

import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Json = Record<string, unknown>;
interface Stored extends Json {
  metadata: Json & { name: string; resourceVersion: string };
}

/** Some of the Kubernetes API: objects by path, applied, patched, listed and watched. */
export class ObjectsApi implements AsyncDisposable {
  readonly objects = new Map<string, Stored>();
  /** A path's answer instead of the usual one: a status. */
  readonly failing = new Map<string, number>();
  /** Kinds that are not served, by the folder of their path. */
  readonly unknown = new Set<string>();
  /** Called before a patch is applied. */
  beforePatch: (path: string) => void = () => undefined;
  changes = 0;
  #version = 0;
  readonly #watchers = new Map<ServerResponse, string>();
  readonly #server = createServer((request, response) => this.#serve(request, response));

  static async open(): Promise<ObjectsApi> {
    const api = new ObjectsApi();
    await new Promise<void>((resolve) => api.#server.listen(0, '127.0.0.1', resolve));
    return api;
  }

  async kubeconfig(path: string): Promise<string> {
    const { port } = this.#server.address() as AddressInfo;
    const server = `http://127.0.0.1:${port}`;
    const content = {
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'c' } }],
      clusters: [{ name: 'c', cluster: { server } }],
    };
    await writeFile(path, JSON.stringify(content));
    return path;
  }

  put(path: string, object: object): void {
    this.changes += 1;
    this.#version += 1;
    const name = path.slice(path.lastIndexOf('/') + 1);
    const given = object as { metadata?: Json };
    const metadata = { ...given.metadata, name, resourceVersion: String(this.#version) };
    const stored = { ...object, metadata };
    this.objects.set(path, stored);
    for (const [watcher, folder] of this.#watchers) {
      if (folderOf(path) === folder) watcher.write(`${JSON.stringify({ type: 'ADDED', object: stored })}\n`);
    }
  }

  get watching(): number {
    return this.#watchers.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '', 'http://api');
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const path = url.pathname;
      const failing = this.failing.get(path);
      if (failing !== undefined) return answer(response, failing, status(failing));
      if (this.unknown.has(path) || this.unknown.has(folderOf(path))) return answer(response, 404, status(404));
      const body = Buffer.concat(parts).toString();
      if (request.method === 'PATCH') return this.#patch(path, request.headers['content-type'], body, response);
      if (url.searchParams.has('watch')) return this.#watch(path, response);
      const one = this.objects.get(path);
      if (one) return answer(response, 200, one);
      const items = [...this.objects].filter(([at]) => folderOf(at) === path).map(([, object]) => object);
      const list = items.filter((object) => hasLabel(object, url.searchParams.get('labelSelector')));
      answer(response, 200, { metadata: { resourceVersion: String(this.#version) }, items: list });
    });
  }

  #watch(path: string, response: ServerResponse): void {
    response.writeHead(200);
    response.flushHeaders();
    this.#watchers.set(response, path);
    response.on('close', () => this.#watchers.delete(response));
  }

  #patch(path: string, type: string | undefined, body: string, response: ServerResponse): void {
    this.beforePatch(path);
    const before = this.objects.get(path);
    if (type === 'application/apply-patch+yaml') {
      const { metadata: _, ...wanted } = JSON.parse(body) as Json;
      const after = { ...before, ...wanted, data: { ...(before?.['data'] as Json), ...(wanted['data'] as Json) } };
      if (JSON.stringify({ ...before, metadata: 0 }) !== JSON.stringify({ ...after, metadata: 0 })) {
        this.put(path, { ...after, metadata: before?.metadata });
      }
      return answer(response, 200, this.objects.get(path));
    }
    if (before === undefined) return answer(response, 404, status(404));
    const [test, ...adds] = JSON.parse(body) as { path: string; value: unknown }[];
    if (test?.value !== before.metadata.resourceVersion) return answer(response, 422, status(422));
    const after = structuredClone(before);
    for (const { path: pointer, value } of adds) set(after, pointer.slice(1).split('/'), value);
    this.put(path, after);
    answer(response, 200, this.objects.get(path));
  }
}

function set(target: Json, [first = '', ...rest]: string[], value: unknown): void {
  if (rest.length === 0) target[first] = value;
  else set((target[first] ??= {}) as Json, rest, value);
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

function hasLabel(object: Stored, selector: string | null): boolean {
  if (selector === null) return true;
  const [key = '', value] = selector.split('=');
  return (object.metadata['labels'] as Json | undefined)?.[key] === value;
}

function status(code: number): Json {
  return { kind: 'Status', code, message: `status ${code}` };
}

function answer(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json as readJson } from 'node:stream/consumers';

export interface FakeObject {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

interface Place {
  readonly plural: string;
  readonly namespace: string;
  readonly name: string | undefined;
  readonly isStatus: boolean;
}

/** An API of Kubernetes in memory: lists, watches, and patches of statuses. For tests only. */
export class FakeCluster implements AsyncDisposable {
  /** What was patched, with its path. */
  readonly patches: { readonly path: string; readonly body: unknown }[] = [];
  /** Kinds that are not served. */
  readonly missing = new Set<string>();
  /** While true nothing is answered but errors, and no watch goes on. */
  #isBroken = false;
  readonly #objects = new Map<string, Map<string, FakeObject>>();
  readonly #watches = new Map<ServerResponse, string>();
  readonly #server: Server;
  #version = 1;
  /** The version of the last change of a kind, removals included. */
  readonly #changedAt = new Map<string, number>();

  static async start(): Promise<FakeCluster> {
    const cluster = new FakeCluster();
    await new Promise<void>((resolve) => cluster.#server.listen(0, '127.0.0.1', resolve));
    return cluster;
  }

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
  }

  /** For `kube_config_file`. */
  get kubeconfig(): string {
    const server = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return JSON.stringify({
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
      clusters: [{ name: 'c', cluster: { server } }],
      users: [{ name: 'u', user: { token: 't' } }],
    });
  }

  put(plural: string, object: FakeObject): void {
    const { name, namespace = '' } = object.metadata;
    const all = this.#objects.get(plural) ?? new Map<string, FakeObject>();
    const resourceVersion = String(++this.#version);
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion } };
    const type = all.has(`${namespace}/${name}`) ? 'MODIFIED' : 'ADDED';
    all.set(`${namespace}/${name}`, stored);
    this.#objects.set(plural, all);
    this.#tell(plural, { type, object: stored });
  }

  remove(plural: string, name: string, namespace = ''): void {
    const object = this.#objects.get(plural)?.get(`${namespace}/${name}`);
    if (object === undefined) throw new Error(`no ${name} among the ${plural}`);
    this.#objects.get(plural)?.delete(`${namespace}/${name}`);
    const resourceVersion = String(++this.#version);
    this.#tell(plural, { type: 'DELETED', object: { ...object, metadata: { ...object.metadata, resourceVersion } } });
  }

  get(plural: string, name: string, namespace = ''): FakeObject | undefined {
    return this.#objects.get(plural)?.get(`${namespace}/${name}`);
  }

  /** Errors to everything, or all is well again; whoever comes back must list anew. */
  set broken(value: boolean) {
    this.#isBroken = value;
    if (!value) return;
    for (const watch of this.#watches.keys()) watch.destroy();
    this.#version += 1000;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://api');
    const { plural, namespace, name, isStatus } = placeOf(url.pathname);
    if (this.#isBroken) return refuse(response, 500, 'InternalError');
    if (this.missing.has(plural)) return refuse(response, 404, 'NotFound');
    if (url.searchParams.has('watch')) return this.#watch(plural, url, response);
    const all = this.#objects.get(plural) ?? new Map<string, FakeObject>();
    if (request.method === 'POST' || request.method === 'PUT') return this.#write(plural, request, response);
    if (name === undefined) {
      return reply(response, { metadata: { resourceVersion: String(this.#version) }, items: [...all.values()] });
    }
    const object = all.get(`${namespace}/${name}`);
    if (object === undefined) return refuse(response, 404, 'NotFound');
    if (request.method === 'PATCH' && isStatus) {
      const body = (await readJson(request)) as { status: object };
      this.patches.push({ path: url.pathname, body });
      this.put(plural, { ...object, status: body.status });
    }
    return reply(response, all.get(`${namespace}/${name}`));
  }

  /** Creates what is not there, or replaces what is there in the version given. */
  async #write(plural: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const object = (await readJson(request)) as FakeObject;
    const { name, namespace, resourceVersion } = object.metadata;
    const there = this.get(plural, name, namespace);
    if (there?.metadata['resourceVersion'] !== resourceVersion) return refuse(response, 409, 'Conflict');
    this.put(plural, object);
    return reply(response, this.get(plural, name, namespace));
  }

  #watch(plural: string, url: URL, response: ServerResponse): void {
    // What happened before is not kept, as if it were long ago.
    if (Number(url.searchParams.get('resourceVersion')) < (this.#changedAt.get(plural) ?? 0)) {
      return refuse(response, 410, 'Expired');
    }
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    this.#watches.set(response, plural);
    response.on('close', () => this.#watches.delete(response));
  }

  #tell(plural: string, event: object): void {
    this.#changedAt.set(plural, this.#version);
    for (const [response, kind] of this.#watches) {
      if (kind === plural) response.write(`${JSON.stringify(event)}\n`);
    }
  }
}

const placeOf = (path: string): Place => {
  const parts = path
    .split('/')
    .filter(Boolean)
    .slice(path.startsWith('/apis') ? 3 : 2);
  const inside = parts[0] === 'namespaces' && parts.length > 2 ? parts.slice(2) : parts;
  const [plural = '', name, more] = inside;
  return { plural, name, namespace: inside === parts ? '' : (parts[1] ?? ''), isStatus: more === 'status' };
};

const reply = (response: ServerResponse, value: unknown, status = 200): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
};

const refuse = (response: ServerResponse, code: number, reason: string): void =>
  reply(response, { kind: 'Status', code, reason, message: reason }, code);

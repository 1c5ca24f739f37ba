// The cluster's API for tests, through `kubectl proxy` on a Unix socket: the API itself is in the cluster's own network.
import { request } from 'node:http';

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly [key: string]: unknown;
  };
  readonly [key: string]: unknown;
}

export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

interface Resource {
  readonly path: string;
  readonly namespaced: boolean;
}

export class ApiClient {
  readonly #socket: string;
  readonly #resources = new Map<string, Resource>();

  constructor(socket: string) {
    this.#socket = socket;
  }

  /** Creates the objects, or makes them what is given (server-side apply). */
  async apply(...objects: readonly KubernetesObject[]): Promise<readonly KubernetesObject[]> {
    const applied: KubernetesObject[] = [];
    for (const object of objects) {
      const path = `${await this.#pathOf(object)}?fieldManager=steeple-test&force=true`;
      applied.push(await this.call('PATCH', path, object, 'application/apply-patch+yaml'));
    }
    return applied;
  }

  /** The object as it is now. */
  async get<T extends KubernetesObject>(object: KubernetesObject): Promise<T> {
    return await this.call('GET', await this.#pathOf(object));
  }

  /** The object as it is now, or undefined if it is not there. */
  async find<T extends KubernetesObject>(object: KubernetesObject): Promise<T | undefined> {
    return await this.get<T>(object).catch(notThere);
  }

  /** Deletes at once, without the grace that a pod would have; an object that is not there is no error. */
  async delete(object: KubernetesObject): Promise<void> {
    const options = { gracePeriodSeconds: 0, propagationPolicy: 'Background' };
    await this.call('DELETE', await this.#pathOf(object), options).catch(notThere);
  }

  /** Any call, like `GET /readyz`. @throws {ApiError} */
  async call<T = KubernetesObject>(
    method: string,
    path: string,
    body?: unknown,
    type = 'application/json',
  ): Promise<T> {
    const { status, text } = await this.#send(method, path, body === undefined ? '' : JSON.stringify(body), type);
    if (status >= 300) throw new ApiError(status, `${method} ${path}: ${status} ${messageOf(text)}`);
    return (text.startsWith('{') ? JSON.parse(text) : text) as T;
  }

  async #pathOf({ apiVersion, kind, metadata }: KubernetesObject): Promise<string> {
    const { path, namespaced } = await this.#resource(apiVersion, kind);
    const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const namespace = namespaced ? `/namespaces/${metadata.namespace ?? 'default'}` : '';
    return `${base}${namespace}/${path}/${metadata.name}`;
  }

  async #resource(apiVersion: string, kind: string): Promise<Resource> {
    const key = `${apiVersion} ${kind}`;
    const known = this.#resources.get(key);
    if (known !== undefined) return known;
    const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const { resources } = await this.call<{ resources: { name: string; kind: string; namespaced: boolean }[] }>(
      'GET',
      base,
    );
    const found = resources.find((each) => each.kind === kind && !each.name.includes('/'));
    if (found === undefined) throw new Error(`the cluster has no ${kind} of ${apiVersion}`);
    const resource = { path: found.name, namespaced: found.namespaced };
    this.#resources.set(key, resource);
    return resource;
  }

  #send(method: string, path: string, body: string, type: string): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': type, 'content-length': Buffer.byteLength(body) };
      const call = request({ socketPath: this.#socket, method, path, headers, timeout: 30_000 }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text })).on('error', reject);
      });
      call.on('timeout', () => call.destroy(new Error(`${method} ${path}: no answer within 30 s`)));
      call.on('error', reject).end(body);
    });
  }
}

function notThere(error: unknown): undefined {
  if (!(error instanceof ApiError) || error.status !== 404) throw error;
}

function messageOf(text: string): string {
  try {
    return String((JSON.parse(text) as { message?: string }).message);
  } catch {
    return text.slice(0, 200);
  }
}

import { type ClientRequest, type IncomingMessage, request as plainRequest } from 'node:http';
import { Agent, type AgentOptions, request } from 'node:https';
import { reasonOf } from '../files.ts';
import type { KubernetesAccess, KubernetesConnection } from './connection.ts';
import { KubernetesError } from './kubernetes-error.ts';

export interface WireRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With its query. */
  readonly target: string;
  readonly accept?: string;
  readonly body?: { readonly contentType: string; readonly text: string };
}

type Headers = Readonly<Record<string, string | number>>;

/** Sockets that are kept for the next request; a watch has its own. */
const KEPT: AgentOptions = { keepAlive: true, maxFreeSockets: 4, scheduling: 'lifo' };
const LOOPBACK = /^http:\/\/(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?(?:\/|$)/;

/** HTTP to an API whose address, trust and credentials may change between two requests. */
export class Wire {
  readonly #access: KubernetesAccess;
  #pool: { readonly key: string; readonly agent: Agent } | undefined;

  constructor(access: KubernetesAccess) {
    this.#access = access;
  }

  /**
   * Sends a request and gives the answer as soon as its head is there.
   *
   * @throws {KubernetesError} `access` or `unreachable`; the signal's reason if it aborts
   */
  async open(wanted: WireRequest, signal: AbortSignal): Promise<IncomingMessage> {
    const connection = await this.#access();
    signal.throwIfAborted();
    const headers = {
      accept: wanted.accept ?? 'application/json',
      'accept-encoding': 'identity',
      'user-agent': 'steeple',
      ...(connection.token !== undefined && { authorization: `Bearer ${connection.token}` }),
      ...(wanted.body && { 'content-type': wanted.body.contentType, 'content-length': lengthOf(wanted.body.text) }),
    };
    const send = () => this.#send(connection, wanted, headers, signal);
    try {
      return await send().catch((error: unknown) => (error instanceof KeptTooLong ? send() : raise(error)));
    } catch (cause) {
      if (signal.aborted) throw signal.reason;
      throw cause instanceof KubernetesError ? cause : unreachable(connection.server, cause);
    }
  }

  #send(
    connection: KubernetesConnection,
    { method, target, body }: WireRequest,
    headers: Headers,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const call = this.#request(connection, target, { method, headers, signal });
    call.once('response', resolve);
    call.on('error', (cause: NodeJS.ErrnoException) => {
      const closed = call.reusedSocket && (cause.code === 'ECONNRESET' || cause.code === 'EPIPE');
      reject(closed ? new KeptTooLong('closed meanwhile', { cause }) : cause);
    });
    call.end(body?.text);
    return promise;
  }

  #request(
    connection: KubernetesConnection,
    target: string,
    options: { readonly method: string; readonly headers: Headers; readonly signal: AbortSignal },
  ): ClientRequest {
    const url = connection.server + target;
    if (LOOPBACK.test(url)) return plainRequest(url, { ...options, agent: false });
    if (!URL.canParse(url) || !url.startsWith('https://')) {
      throw new KubernetesError('access', 'the address of the Kubernetes API must begin with https://');
    }
    try {
      return request(url, { ...options, agent: this.#agentFor(connection) });
    } catch (cause) {
      // A certificate or key that is none.
      throw new KubernetesError(
        'access',
        `the connection to ${connection.server} cannot be set up: ${reasonOf(cause)}`,
      );
    }
  }

  /** One pool for one set of keys: a connection that was made with others is not used again. */
  #agentFor({ server, ca, identity, serverName }: KubernetesConnection): Agent {
    const key = JSON.stringify([server, ca, identity?.certificate, identity?.key, serverName]);
    if (this.#pool?.key === key) return this.#pool.agent;
    if (this.#pool) retire(this.#pool.agent);
    const agent = new Agent({
      ...KEPT,
      minVersion: 'TLSv1.2',
      ...(ca !== undefined && { ca }),
      ...(identity && { cert: identity.certificate, key: identity.key }),
      ...(serverName !== undefined && { servername: serverName }),
    });
    this.#pool = { key, agent };
    return agent;
  }

  /** Ends every connection. The next request makes a new one. */
  close(): void {
    this.#pool?.agent.destroy();
    this.#pool = undefined;
  }
}

/** The server had closed a kept connection when the request was sent: the next one is new. */
class KeptTooLong extends Error {}

/** What it is doing is finished; nothing begins on it any more. */
function retire(agent: Agent): void {
  agent.maxFreeSockets = 0;
  for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy();
}

function lengthOf(text: string): number {
  return Buffer.byteLength(text);
}

function unreachable(server: string, cause: unknown): KubernetesError {
  return new KubernetesError('unreachable', `the Kubernetes API at ${server} cannot be reached: ${reasonOf(cause)}`, {
    cause,
  });
}

function raise(error: unknown): never {
  throw error;
}

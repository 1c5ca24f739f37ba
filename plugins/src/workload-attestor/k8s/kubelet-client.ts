import { type ClientRequest, type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http';
import { Agent, request } from 'node:https';
import { reasonOf } from '@steeple/daemon';
import type { KubeletAccess, KubeletConnection } from './kubelet-access.ts';
import { KubeletError } from './kubelet-error.ts';

/** Hundreds of pods of some ten kilobytes each. */
const LARGEST_ANSWER = 64 * 1024 * 1024;
/** Seconds. */
const TIMEOUT = 10;

/** Asks the kubelet of this node for its pods. */
export class KubeletClient {
  readonly #access: KubeletAccess;
  #pool: { readonly key: string; readonly agent: Agent } | undefined;
  readonly #plain = new PlainAgent({ keepAlive: true, maxFreeSockets: 1 });

  constructor(access: KubeletAccess) {
    this.#access = access;
  }

  /**
   * The bytes of its list of pods.
   *
   * @throws {KubeletError}
   */
  async pods(): Promise<Buffer> {
    const connection = await this.#access.connection();
    try {
      return await this.#get(connection);
    } catch (error) {
      // What it refused may have been replaced in the files meanwhile: they are read again at once.
      this.#access.forget();
      const fresh = error instanceof KubeletError && !error.passing ? await this.#access.connection() : connection;
      if (keyOf(fresh) === keyOf(connection) && fresh.token === connection.token) throw error;
      return await this.#get(fresh);
    }
  }

  async #get(connection: KubeletConnection): Promise<Buffer> {
    const signal = AbortSignal.timeout(TIMEOUT * 1000);
    try {
      const response = await this.#send(connection, signal);
      const { statusCode: status = 0 } = response;
      if (status !== 200) {
        response.destroy();
        throw refused(status);
      }
      return await bodyOf(response);
    } catch (cause) {
      if (cause instanceof KubeletError) throw cause;
      if (signal.aborted) throw new KubeletError(`the kubelet did not answer within ${TIMEOUT} s`, true, cause);
      throw unreachable(connection, cause);
    }
  }

  #send(connection: KubeletConnection, signal: AbortSignal, again = true): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const call = this.#request(connection, signal);
      call.once('response', resolve);
      call.on('error', (cause) => {
        // The kubelet had closed a kept connection: the next one is new.
        if (again && call.reusedSocket && !signal.aborted) resolve(this.#send(connection, signal, false));
        else reject(cause);
      });
      call.end();
    });
  }

  #request(connection: KubeletConnection, signal: AbortSignal): ClientRequest {
    const { url, token } = connection;
    const headers = {
      accept: 'application/json',
      'accept-encoding': 'identity',
      'user-agent': 'steeple',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    };
    if (url.startsWith('http://')) return plainRequest(url, { headers, signal, agent: this.#plain });
    return request(url, { headers, signal, agent: this.#agentFor(connection) });
  }

  /** A connection that was made with other keys or trust is not used again. */
  #agentFor(connection: KubeletConnection): Agent {
    const key = keyOf(connection);
    if (this.#pool?.key === key) return this.#pool.agent;
    this.#pool?.agent.destroy();
    const { ca, verifyName, identity } = connection;
    const agent = new Agent({
      keepAlive: true,
      maxFreeSockets: 1,
      minVersion: 'TLSv1.2',
      ...(ca === undefined ? { rejectUnauthorized: false } : { ca }),
      ...(verifyName ? {} : { checkServerIdentity: () => undefined }),
      ...(identity && { cert: identity.certificate, key: identity.key }),
    });
    this.#pool = { key, agent };
    return agent;
  }
}

function keyOf({ url, ca, verifyName, identity }: KubeletConnection): string {
  return JSON.stringify([url, ca, verifyName, identity?.certificate, identity?.key]);
}

/** By events: a hundred parts cost less so than an iteration that waits for each. */
function bodyOf(response: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let length = 0;
    response.on('data', (part: Buffer) => {
      length += part.length;
      if (length > LARGEST_ANSWER)
        response.destroy(new KubeletError(`the kubelet answered more than ${LARGEST_ANSWER} bytes`, false));
      else parts.push(part);
    });
    response.on('end', () => resolve(Buffer.concat(parts, length)));
    response.on('error', reject);
  });
}

function refused(status: number): KubeletError {
  const why: Readonly<Record<number, string>> = {
    401: ': it does not know this agent; see "token_path" or "certificate_path"',
    403: ': this agent may not see its pods; it needs "get" on "nodes/pods" or "nodes/proxy"',
    404: ': it has no list of pods at this port',
  };
  return new KubeletError(`the kubelet answered ${status}${why[status] ?? ''}`, status === 429 || status >= 500);
}

/** A kubelet that is down comes again; one with a certificate that is not trusted stays what it is. */
const PASSING = /^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_)/;

function unreachable({ url }: KubeletConnection, cause: unknown): KubeletError {
  const { code = '' } = cause as NodeJS.ErrnoException;
  const why = `the kubelet at ${new URL(url).host} cannot be asked: ${reasonOf(cause)}`;
  return new KubeletError(why, PASSING.test(code), cause);
}

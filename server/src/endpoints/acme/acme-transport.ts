import { request } from 'node:https';
import type { AcmeKey } from './acme-key.ts';

/** What an ACME server answered. */
export interface AcmeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** A refusal by the server: a problem document (RFC 8555 section 6.7). */
class AcmeProblem extends Error {
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.name = 'AcmeProblem';
    this.type = type;
  }
}

const MAX_BYTES = 1_048_576;
/** Seconds that one exchange may take, and how often a stale nonce is replaced. */
const TIMEOUT = 30;
const NONCE_TRIES = 5;

/** Signed requests to one ACME server (RFC 8555 section 6), which must be vouched for by the given authorities. */
export class AcmeTransport {
  readonly #key: AcmeKey;
  readonly #roots: readonly string[];
  #newNonce: string | undefined;
  #nonce: string | undefined;
  /** The account's URL, once there is one. */
  account: string | undefined;

  constructor(key: AcmeKey, roots: readonly string[]) {
    this.#key = key;
    this.#roots = roots;
  }

  /** Where nonces come from. */
  useNonces(url: string): void {
    this.#newNonce = url;
  }

  get(url: string, signal: AbortSignal): Promise<AcmeAnswer> {
    return this.#exchange('GET', url, undefined, signal);
  }

  /** A signed POST; without a payload it only reads. @throws {AcmeProblem} */
  async post(url: string, payload: object | undefined, signal: AbortSignal): Promise<AcmeAnswer> {
    for (let tries = 1; ; tries += 1) {
      const nonce = this.#nonce ?? (await this.#freshNonce(signal));
      this.#nonce = undefined;
      const identity = this.account === undefined ? { jwk: this.#key.jwk } : { kid: this.account };
      const answer = await this.#exchange('POST', url, this.#key.sign({ ...identity, nonce, url }, payload), signal);
      if (answer.status < 400) return answer;
      const problem = problemOf(answer);
      if (problem.type !== 'urn:ietf:params:acme:error:badNonce' || tries === NONCE_TRIES) throw problem;
    }
  }

  async #freshNonce(signal: AbortSignal): Promise<string> {
    if (this.#newNonce === undefined) throw new Error('the directory has not been read');
    await this.#exchange('HEAD', this.#newNonce, undefined, signal);
    if (this.#nonce === undefined) throw new Error('the ACME server gave no nonce');
    return this.#nonce;
  }

  async #exchange(method: string, url: string, body: string | undefined, signal: AbortSignal): Promise<AcmeAnswer> {
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT * 1000)]);
    const answer = await exchange(method, url, body, this.#roots, bounded);
    const nonce = answer.headers['replay-nonce'];
    if (typeof nonce === 'string') this.#nonce = nonce;
    return answer;
  }
}

const exchange = (
  method: string,
  url: string,
  body: string | undefined,
  roots: readonly string[],
  signal: AbortSignal,
): Promise<AcmeAnswer> =>
  new Promise((resolve, reject) => {
    const { protocol } = new URL(url);
    if (protocol !== 'https:') throw new Error(`the ACME server names an address that is not https: ${url}`);
    const headers = {
      'user-agent': 'steeple',
      ...(body !== undefined && { 'content-type': 'application/jose+json', 'content-length': Buffer.byteLength(body) }),
    };
    const call = request(url, { method, headers, ca: [...roots], agent: false, signal }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        if (text.length > MAX_BYTES) call.destroy(new Error('the answer of the ACME server is too long'));
      });
      response.once('error', reject);
      response.once('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
      });
    });
    call.once('error', reject).end(body);
  });

const problemOf = ({ status, body }: AcmeAnswer): AcmeProblem => {
  const { type = '', detail = `status ${status}` } = parse(body) as { type?: string; detail?: string };
  return new AcmeProblem(type, `the ACME server refused: ${detail}${type && ` (${type})`}`);
};

const parse = (body: string): unknown => {
  try {
    return JSON.parse(body) ?? {};
  } catch {
    return {};
  }
};

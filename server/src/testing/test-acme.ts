import { createHash, createPublicKey, type JsonWebKey, randomBytes, verify, X509Certificate } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { readCsr, toPem } from '@steeple/spiffe';
import type { TestTrustDomain } from '@steeple/test-kit';

interface Signed {
  readonly header: { readonly jwk?: JsonWebKey; readonly kid?: string; readonly nonce: string; readonly url: string };
  readonly payload: Record<string, unknown>;
}

/**
 * An ACME authority (RFC 8555) for one account and one order at a time that verifies by tls-alpn-01 (RFC 8737) and refuses
 * the first nonce of each kind of request; for tests only.
 */
export class TestAcme implements AsyncDisposable {
  readonly requests: string[] = [];
  /** Seconds that certificates live. */
  ttl = 86_400;
  /** The name that certificates are made for, if it is not the one asked for. */
  certifies: string | undefined;
  /** Unix seconds. */
  now: () => number = () => Date.now() / 1000;
  /** Where domain names lead: the port on localhost that is asked for the challenge. */
  challengePort = 0;
  readonly #domain: TestTrustDomain;
  readonly #server: Server;
  readonly #nonces = new Set<string>();
  readonly #token = randomBytes(16).toString('base64url');
  #account: JsonWebKey | undefined;
  #order: { name: string; status: string; problem?: string; chain?: string } = { name: '', status: 'pending' };

  static async open(domain: TestTrustDomain): Promise<TestAcme> {
    const { chain, privateKey } = await domain.x509Svid('/acme', { dnsNames: ['localhost'] });
    const cert = chain.map(({ raw }) => toPem('CERTIFICATE', raw)).join('');
    const acme = new TestAcme(domain, { cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() });
    await new Promise<void>((done) => acme.#server.listen(0, 'localhost', done));
    return acme;
  }

  private constructor(domain: TestTrustDomain, pair: { cert: string; key: string }) {
    this.#domain = domain;
    this.#server = createServer(pair, (request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        response.writeHead(400, { 'replay-nonce': this.#nonce() });
        response.end(JSON.stringify({ type: 'urn:ietf:params:acme:error:malformed', detail: String(error) }));
      });
    });
  }

  get directoryUrl(): string {
    return `${this.#base}/directory`;
  }

  get #base(): string {
    return `https://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((done) => this.#server.close(() => done()));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request;
    this.requests.push(`${method} ${url}`);
    response.setHeader('replay-nonce', this.#nonce());
    if (url === '/nonce') return void response.end();
    if (url === '/directory') return this.#send(response, this.#directory());
    const signed = this.#open(await text(request), url);
    if (typeof signed === 'string') {
      response.statusCode = 400;
      return this.#send(response, { type: `urn:ietf:params:acme:error:${signed}`, detail: signed });
    }
    await this.#act(url, signed, response);
  }

  async #act(url: string, { payload, header }: Signed, response: ServerResponse): Promise<void> {
    switch (url) {
      case '/account':
        this.#account = header.jwk;
        response.setHeader('location', `${this.#base}/account/1`);
        return this.#send(response, { status: 'valid' });
      case '/new-order':
        this.#order = { name: (payload['identifiers'] as { value: string }[])[0]?.value ?? '', status: 'pending' };
        response.setHeader('location', `${this.#base}/order`);
        return this.#send(response, this.#orderDocument());
      case '/challenge':
        await this.#validate();
        return this.#send(response, {});
      case '/authorization':
        return this.#send(response, this.#authorization());
      case '/finalize':
        await this.#issue(Buffer.from(String(payload['csr']), 'base64url'));
        return this.#send(response, this.#orderDocument());
      case '/order':
        return this.#send(response, this.#orderDocument());
      case '/certificate':
        return void response.end(this.#order.chain);
      default:
        response.writeHead(404).end('{}');
    }
  }

  #directory(): object {
    const urls = { newNonce: 'nonce', newAccount: 'account', newOrder: 'new-order' };
    const entries = Object.entries(urls).map(([name, path]) => [name, `${this.#base}/${path}`]);
    return { ...Object.fromEntries(entries), meta: { termsOfService: 'https://localhost/terms' } };
  }

  #orderDocument(): object {
    const { status } = this.#order;
    return {
      status,
      authorizations: [`${this.#base}/authorization`],
      finalize: `${this.#base}/finalize`,
      ...(status === 'valid' && { certificate: `${this.#base}/certificate` }),
    };
  }

  #authorization(): object {
    const { status, problem } = this.#order;
    const state = status === 'ready' || status === 'valid' ? 'valid' : status;
    const challenge = { type: 'tls-alpn-01', url: `${this.#base}/challenge`, token: this.#token, status: state };
    return {
      status: state,
      challenges: [
        { type: 'http-01', url: `${this.#base}/other` },
        { ...challenge, ...(problem && { error: { detail: problem } }) },
      ],
    };
  }

  #nonce(): string {
    const nonce = randomBytes(8).toString('base64url');
    this.#nonces.add(nonce);
    return nonce;
  }

  /** What was signed, or why it is refused. */
  #open(body: string, url: string): Signed | 'badNonce' | 'unauthorized' {
    const { protected: head, payload, signature } = JSON.parse(body) as Record<string, string>;
    const header = JSON.parse(Buffer.from(head ?? '', 'base64url').toString()) as Signed['header'];
    const isFirst = this.requests.filter((one) => one === `POST ${url}`).length === 1;
    if (!this.#nonces.delete(header.nonce) || isFirst) return 'badNonce';
    const jwk = url === '/account' ? header.jwk : header.kid === `${this.#base}/account/1` ? this.#account : undefined;
    if (jwk === undefined || header.url !== `${this.#base}${url}`) return 'unauthorized';
    const key = { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' } as const;
    const isSigned = verify(
      'sha256',
      Buffer.from(`${head}.${payload}`),
      key,
      Buffer.from(signature ?? '', 'base64url'),
    );
    if (!isSigned) return 'unauthorized';
    return { header, payload: JSON.parse(Buffer.from(payload || 'e30', 'base64url').toString()) as Signed['payload'] };
  }

  /** RFC 8737 section 3. */
  async #validate(): Promise<void> {
    const { crv, kty, x, y } = this.#account ?? {};
    const thumbprint = createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
    const expected = createHash('sha256').update(`${this.#token}.${thumbprint}`).digest('hex');
    const shown = await this.#look().catch((error: Error) => error.message);
    const isRight = shown instanceof X509Certificate && shown.subjectAltName === `DNS:${this.#order.name}`;
    if (isRight && shown.raw.toString('hex').includes(`0101ff04220420${expected}`)) this.#order.status = 'ready';
    else this.#order = { ...this.#order, status: 'invalid', problem: `not the answer: ${String(shown)}` };
  }

  #look(): Promise<X509Certificate | undefined> {
    return new Promise((resolve, reject) => {
      const [servername, ALPNProtocols] = [this.#order.name, ['acme-tls/1']];
      const options = {
        host: '127.0.0.1',
        port: this.challengePort,
        servername,
        ALPNProtocols,
        rejectUnauthorized: false,
      };
      const socket = connect(options, () => {
        const isAgreed = socket.alpnProtocol === 'acme-tls/1';
        resolve(isAgreed ? socket.getPeerX509Certificate() : undefined);
        socket.destroy();
      });
      socket.once('error', reject).once('close', () => reject(new Error('closed')));
    });
  }

  async #issue(csr: Uint8Array): Promise<void> {
    const now = this.now();
    const leaf = await this.#domain.issuer.issueLeaf({
      id: this.#domain.id('/site'),
      spki: readCsr(csr).spki,
      dnsNames: [this.certifies ?? this.#order.name],
      notBefore: now - 10,
      notAfter: now + this.ttl,
      serial: randomBytes(16),
    });
    this.#order = { ...this.#order, status: 'valid', chain: toPem('CERTIFICATE', leaf.raw) };
  }

  #send(response: ServerResponse, document: object): void {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(document));
  }
}

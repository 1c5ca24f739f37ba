import type { RequestListener, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { formatBundleDocument, type TrustBundle, toPem, type X509Svid } from '@steeple/spiffe';

/** A bundle endpoint that answers as a test wants, with the certificate it wants; for tests only. */
export class TestEndpoint implements AsyncDisposable {
  readonly requests: string[] = [];
  answer: RequestListener;
  readonly #server: Server;

  static async open(svid: X509Svid, answer: RequestListener): Promise<TestEndpoint> {
    const endpoint = new TestEndpoint(svid, answer);
    await new Promise<void>((done) => endpoint.#server.listen(0, 'localhost', done));
    return endpoint;
  }

  private constructor(svid: X509Svid, answer: RequestListener) {
    this.answer = answer;
    this.#server = createServer(pemOf(svid), (request, response) => {
      this.requests.push(`${request.method} ${request.url} ${request.headers.host}`);
      this.answer(request, response);
    });
    this.#server.on('tlsClientError', () => {});
  }

  /** Presents another certificate from now on. */
  present(svid: X509Svid): void {
    this.#server.setSecureContext(pemOf(svid));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  url(path = '/'): string {
    return `https://localhost:${this.port}${path}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((done) => this.#server.close(() => done()));
  }
}

/** Answers with a bundle. */
export const publishing =
  (bundle: () => TrustBundle): RequestListener =>
  (_request, response) =>
    void response.end(formatBundleDocument(bundle()));

/** Answers with anything. */
export const answering =
  (body: string, status = 200): RequestListener =>
  (_request, response: ServerResponse) =>
    void response.writeHead(status).end(body);

export const redirecting =
  (location: string, status = 302): RequestListener =>
  (_request, response) =>
    void response.writeHead(status, { location }).end();

const pemOf = (svid: X509Svid): { cert: string; key: string } => ({
  cert: svid.chain.map(({ raw }) => toPem('CERTIFICATE', raw)).join(''),
  key: svid.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
});

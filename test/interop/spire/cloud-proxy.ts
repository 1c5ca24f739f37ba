// A web proxy that is all the internet there is: programs whose providers' addresses are built in are shown stand-ins.

import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { toPem } from '@steeple/client';
import { encodeElement as der } from '../../../plugins/src/node-attestor/cloud/ber.ts';
import type { StandInAnswer, StandInRequest } from '../../../plugins/src/node-attestor/cloud/http-for-tests.ts';
import { issue, issueCa } from '../../../plugins/src/node-attestor/x509pop/certificates-for-tests.ts';

/** Who answers for a host. */
export type Hosts = Readonly<Record<string, (request: StandInRequest) => StandInAnswer>>;

export class CloudProxy implements AsyncDisposable {
  /** Every host and path that was asked for. */
  readonly asked: string[] = [];
  readonly #hosts: Hosts;
  readonly #caFile: string;
  readonly #tunnels = new Set<() => void>();
  #plain!: Server;
  #tls!: TlsServer;

  private constructor(hosts: Hosts, caFile: string) {
    this.#hosts = hosts;
    this.#caFile = caFile;
  }

  /** @param caFile - where to write the certificate that vouches for the stand-ins */
  static async open(hosts: Hosts, caFile: string): Promise<CloudProxy> {
    const proxy = new CloudProxy(hosts, caFile);
    const ca = issueCa('stand-in for the web');
    await writeFile(caFile, toPem('CERTIFICATE', ca.certificate.raw));
    const names = ['stand-in.test', ...Object.keys(hosts)].map((host) => der(0x82, Buffer.from(host)));
    const alternative = [Buffer.from('0603551d11', 'hex'), der(0x04, der(0x30, Buffer.concat(names)))];
    const site = issue({ issuer: ca, serial: [3], keyUsage: [7, 0x80], more: [der(0x30, Buffer.concat(alternative))] });
    const identity = {
      key: site.key.export({ type: 'pkcs8', format: 'pem' }),
      cert: toPem('CERTIFICATE', site.certificate.raw),
    };
    proxy.#tls = createTlsServer(identity, proxy.#answer);
    proxy.#plain = createServer(proxy.#answer);
    proxy.#plain.on('connect', (_request, client, head) => proxy.#tunnel(client, head));
    for (const server of [proxy.#tls, proxy.#plain]) {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    }
    return proxy;
  }

  /** What a Go program needs in its environment to see it. */
  get env(): NodeJS.ProcessEnv {
    const address = `http://127.0.0.1:${(this.#plain.address() as AddressInfo).port}`;
    return { HTTP_PROXY: address, HTTPS_PROXY: address, NO_PROXY: '', SSL_CERT_FILE: this.#caFile };
  }

  /** Whatever host is wanted, it is here. */
  #tunnel(client: Duplex, head: Uint8Array): void {
    const upstream = connect((this.#tls.address() as AddressInfo).port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.write(head);
      client.pipe(upstream).pipe(client);
    });
    const destroy = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const end of [client, upstream]) end.on('error', destroy).on('close', destroy);
    this.#tunnels.add(destroy);
  }

  readonly #answer: Parameters<typeof createServer>[1] & object = (message, response) => {
    void (async () => {
      const pieces: Uint8Array[] = [];
      for await (const piece of message) pieces.push(piece as Uint8Array);
      const { headers, method = '' } = message;
      const url = new URL(message.url ?? '/', `https://${headers.host}`);
      this.asked.push(`${url.hostname}${url.pathname}`);
      const answer = this.#hosts[url.hostname]?.({
        method,
        url,
        headers,
        host: url.host,
        body: Buffer.concat(pieces).toString(),
      });
      const {
        status,
        body = '',
        headers: more = {},
      } = typeof answer === 'string' ? { status: 200, body: answer } : (answer ?? { status: 404 });
      response.writeHead(status, more).end(body);
    })();
  };

  async [Symbol.asyncDispose](): Promise<void> {
    for (const destroy of this.#tunnels) destroy();
    for (const server of [this.#plain, this.#tls]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }
}

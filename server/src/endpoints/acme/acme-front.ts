import { createServer as createPlain, type Server as PlainServer, type Socket } from 'node:net';
import { createServer as createTls, type Server as TlsServer } from 'node:tls';
import { helloProtocols } from './hello-protocols.ts';

/** What the server of the ACME authority offers when it comes to verify (RFC 8737 section 6.2). */
const ACME_PROTOCOL = 'acme-tls/1';
/** Milliseconds that a client gets for its first message, and connections at a time. */
const HELLO_TIMEOUT = 10_000;
const MAX_CONNECTIONS = 1000;

/**
 * The port of an endpoint that answers challenges as well: by what a connection offers in its first message it goes to the
 * endpoint, or, while a challenge waits, to its answer.
 */
export class AcmeFront {
  readonly listener: PlainServer;
  readonly #endpoint: TlsServer;
  readonly #sockets = new Set<Socket>();
  #challenge: TlsServer | undefined;

  constructor(endpoint: TlsServer) {
    this.#endpoint = endpoint;
    this.listener = createPlain({ pauseOnConnect: true }, (socket) => this.#accept(socket));
    this.listener.maxConnections = MAX_CONNECTIONS;
    // Whoever closes the port does not wait for those who have said nothing yet.
    endpoint.on('close', () => this.closeConnections());
  }

  /** Shows this certificate to the authority's server until it is disposed. */
  answer(pair: { readonly cert: string; readonly key: string }): Disposable {
    const challenge = createTls({ ...pair, ALPNProtocols: [ACME_PROTOCOL] }, (socket) => socket.end());
    challenge.on('tlsClientError', () => {});
    this.#challenge = challenge;
    return {
      [Symbol.dispose]: () => {
        if (this.#challenge === challenge) this.#challenge = undefined;
      },
    };
  }

  closeConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {}).once('close', () => this.#sockets.delete(socket));
    readHello(socket).then(
      (protocols) => {
        const isChallenge = protocols.length === 1 && protocols[0] === ACME_PROTOCOL;
        if (!isChallenge) this.#endpoint.emit('connection', socket);
        else if (this.#challenge) this.#challenge.emit('connection', socket);
        else socket.destroy();
      },
      () => socket.destroy(),
    );
  }
}

/** The protocols a client offers; what was read is put back. */
const readHello = (socket: Socket): Promise<readonly string[]> =>
  new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    const end = (): void => {
      socket.off('readable', read).off('close', gone).off('timeout', gone);
      socket.setTimeout(0);
    };
    const gone = (): void => {
      end();
      reject(new Error('there was no first message'));
    };
    const read = (): void => {
      bytes = Buffer.concat([bytes, (socket.read() as Buffer | null) ?? Buffer.alloc(0)]);
      const protocols = helloProtocols(bytes);
      if (protocols === 'incomplete') return;
      end();
      socket.unshift(bytes);
      resolve(protocols);
    };
    socket.on('readable', read).once('close', gone).once('timeout', gone).setTimeout(HELLO_TIMEOUT);
  });

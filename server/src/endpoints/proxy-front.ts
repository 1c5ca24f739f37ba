import { BlockList, isIP, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Logger } from '@steeple/daemon';
import { type ProxySource, readProxyHeader } from './proxy-header.ts';

/** Milliseconds that a trusted proxy gets for its header. */
const HEADER_TIMEOUT = 10_000;

/** The ranges as something that addresses can be looked up in. @throws {Error} for a range that is none */
export const trustedRanges = (cidrs: readonly string[]): BlockList => {
  const ranges = new BlockList();
  for (const cidr of cidrs) {
    const [, address = '', bits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(cidr) ?? [];
    const version = isIP(address);
    if (version === 0 || Number(bits) > (version === 4 ? 32 : 128)) {
      throw new Error(`"${cidr}" is not a range of addresses; write it as 10.0.0.0/8`);
    }
    ranges.addSubnet(address, Number(bits), version === 4 ? 'ipv4' : 'ipv6');
  }
  return ranges;
};

/**
 * Stands before a TLS server: from trusted addresses a connection may begin with a header of the PROXY protocol, and
 * then counts as the connection of whom it names. From all others such a header is what it is to TLS: garbage.
 */
export class ProxyFront {
  readonly #trusted: BlockList;
  readonly #next: (socket: Socket, address: string | undefined) => void;
  readonly #logger: Logger;
  /** By address and port of the proxy's end: TLS knows a connection by nothing else. */
  readonly #sources = new Map<string, ProxySource>();

  /** `next` takes the connection, still paused, with the address of whom it counts for. */
  constructor(cidrs: readonly string[], next: (socket: Socket, address: string | undefined) => void, logger: Logger) {
    this.#trusted = trustedRanges(cidrs);
    this.#next = next;
    this.#logger = logger;
  }

  /** Whom the proxy named; undefined when the other end is the client itself. */
  sourceOf(socket: TLSSocket): ProxySource | undefined {
    return this.#sources.get(keyOf(socket));
  }

  /** Takes a connection that is paused. */
  accept(socket: Socket): void {
    socket.on('error', () => {});
    if (!this.#isTrusted(socket.remoteAddress)) {
      this.#next(socket, socket.remoteAddress);
      return;
    }
    this.#readHeader(socket).then(
      (source) => {
        const key = keyOf(socket);
        if (source) {
          this.#sources.set(key, source);
          socket.once('close', () => this.#sources.delete(key));
        }
        this.#next(socket, source?.address ?? socket.remoteAddress);
      },
      (error: unknown) => {
        this.#logger.warn('Connection refused', { remote_address: socket.remoteAddress, error });
        socket.destroy();
      },
    );
  }

  #isTrusted(address: string | undefined): boolean {
    const plain = address?.replace(/^::ffff:(?=\d+\.)/, '') ?? '';
    const version = isIP(plain);
    return version !== 0 && this.#trusted.check(plain, version === 4 ? 'ipv4' : 'ipv6');
  }

  #readHeader(socket: Socket): Promise<ProxySource | undefined> {
    return new Promise((resolve, reject) => {
      let bytes = Buffer.alloc(0);
      const end = (): void => {
        socket.off('readable', read).off('close', gone).off('timeout', late);
        socket.setTimeout(0);
      };
      const fail = (error: Error): void => {
        end();
        reject(error);
      };
      const gone = (): void => fail(new Error('the connection ended before its first byte'));
      const late = (): void => fail(new Error('the proxy sent no header in time'));
      const read = (): void => {
        bytes = Buffer.concat([bytes, (socket.read() as Buffer | null) ?? Buffer.alloc(0)]);
        try {
          const header = readProxyHeader(bytes);
          if (header === 'incomplete') return;
          end();
          const length = header === 'none' ? 0 : header.length;
          if (bytes.length > length) socket.unshift(bytes.subarray(length));
          resolve(header === 'none' ? undefined : header.source);
        } catch (error) {
          fail(error as Error);
        }
      };
      socket.on('readable', read).once('close', gone).once('timeout', late).setTimeout(HEADER_TIMEOUT);
    });
  }
}

const keyOf = (socket: Socket): string => `${socket.remoteAddress} ${socket.remotePort}`;

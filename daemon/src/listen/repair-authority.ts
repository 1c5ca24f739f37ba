import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { FrameRepair } from './repair-frames.ts';

/**
 * The socket with `:authority` made legal in what the client sends.
 *
 * Some clients (grpc-java, old grpc-go) put the path of a Unix socket there, `/run/x.sock`. Node's HTTP/2 resets such
 * a call and has no option against it. On a Unix socket the host name says nothing, so any is replaced by another.
 */
export function repairAuthority(socket: Socket): Duplex {
  return new RepairedSocket(socket);
}

class RepairedSocket extends Duplex {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    super({ allowHalfOpen: true, emitClose: true });
    this.#socket = socket;
    const repair = new FrameRepair((bytes) => {
      if (!this.push(bytes)) socket.pause();
    });
    socket.on('data', (chunk: Buffer) => repair.feed(chunk));
    socket.on('end', () => {
      repair.finish();
      this.push(null);
    });
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#socket.cork();
    for (const { chunk } of chunks.slice(0, -1)) this.#socket.write(chunk);
    this.#socket.write(chunks.at(-1)?.chunk ?? Buffer.alloc(0), done);
    this.#socket.uncork();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}

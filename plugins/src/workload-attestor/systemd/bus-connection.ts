import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { sendDescriptor } from '@steeple/daemon/listen';
import { orAborted } from '@steeple/proto/grpc';
import { authenticate } from './authenticate.ts';
import { type BusCall, type BusReply, formatCall, messageLength, parseReply } from './bus-message.ts';
import { GarbledBus } from './wire-reader.ts';

/** Calls that wait for their answers. */
const MAX_PENDING = 4096;

/** The bus or who was called refused; `refusal` is the error's name. */
export class BusRefusal extends Error {
  readonly refusal: string;

  constructor(refusal: string, text: string) {
    super(text === '' ? refusal : `${refusal}: ${text}`);
    this.name = 'BusRefusal';
    this.refusal = refusal;
  }
}

/** No descriptor can be sent at the moment; whatever can be said without one is to be said so. */
export class NoDescriptorNow extends Error {}

/** The connection is over, by no fault of the question: the bus may have been restarted. */
export class BusHungUp extends Error {
  constructor() {
    super('the bus hung up');
  }
}

/** A connection to a D-Bus message bus, for calling methods. Unless a call waits, it keeps no process running. */
export class BusConnection {
  /** What the bus calls this connection. */
  name = '';
  /** Whether the bus takes descriptors along with messages. */
  readonly takesDescriptors: boolean;
  readonly #socket: Socket;
  readonly #pending = new Map<number, PromiseWithResolvers<BusReply>>();
  #received: Buffer = Buffer.alloc(0);
  #heard = 0;
  #serial = 0;

  /** Connects and introduces this process. `path` is as `net.connect` takes it. */
  static async open(path: string, signal: AbortSignal): Promise<BusConnection> {
    const socket = connect({ path });
    // Heard for good, so that a failure after this moment ends no process.
    socket.on('error', () => {});
    try {
      await once(socket, 'connect', { signal });
      const takesDescriptors = await authenticate(socket, process.geteuid?.() ?? 0, signal);
      const opened = new BusConnection(socket, takesDescriptors);
      const bus = 'org.freedesktop.DBus';
      const hello = { destination: bus, path: '/org/freedesktop/DBus', interface: bus, member: 'Hello', arguments: [] };
      opened.name = one(await opened.call(hello, signal), 's');
      return opened;
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  private constructor(socket: Socket, takesDescriptors: boolean) {
    this.#socket = socket;
    this.takesDescriptors = takesDescriptors;
    socket.on('data', (bytes) => this.#receive(bytes));
    socket.on('close', () => this.#end(new BusHungUp()));
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed && this.#socket.writable;
  }

  /**
   * Calls a method. `descriptor` is sent along for an argument `h` that says 0.
   *
   * @throws {BusRefusal} if the answer is an error; the signal's reason if it aborts first. A connection on which nothing at
   *   all came meanwhile is then given up.
   */
  async call(call: BusCall, signal: AbortSignal, descriptor?: number): Promise<BusReply> {
    signal.throwIfAborted();
    if (!this.isOpen) throw new BusHungUp();
    if (this.#pending.size >= MAX_PENDING) throw new Error('too many questions to the bus wait for an answer');
    this.#serial = (this.#serial % 0xffff_ffff) + 1;
    const serial = this.#serial;
    const answer = Promise.withResolvers<BusReply>();
    this.#pending.set(serial, answer);
    this.#socket.ref();
    const heard = this.#heard;
    try {
      this.#send(formatCall(call, serial), descriptor);
      const reply = await orAborted(answer.promise, signal);
      if (reply.error === undefined) return reply;
      throw new BusRefusal(reply.error, reply.signature.startsWith('s') ? reply.body.text() : '');
    } catch (error) {
      if (signal.aborted && this.#heard === heard) this.#end(new Error('the bus does not answer'));
      throw error;
    } finally {
      this.#pending.delete(serial);
      if (this.#pending.size === 0) this.#socket.unref();
    }
  }

  close(): void {
    this.#end(new Error('the connection to the bus was closed'));
  }

  #send(bytes: Uint8Array, descriptor: number | undefined): void {
    if (descriptor === undefined) this.#socket.write(bytes);
    else if (!sendDescriptor(this.#socket, bytes, descriptor)) throw new NoDescriptorNow();
  }

  #receive(bytes: Buffer): void {
    this.#heard++;
    this.#received = this.#received.byteLength === 0 ? bytes : Buffer.concat([this.#received, bytes]);
    try {
      for (;;) {
        const length = messageLength(this.#received);
        if (length === undefined || this.#received.byteLength < length) return;
        const message = this.#received.subarray(0, length);
        this.#received = this.#received.subarray(length);
        const reply = parseReply(message);
        if (reply !== undefined) this.#pending.get(reply.replyTo)?.resolve(reply);
      }
    } catch (error) {
      this.#end(error instanceof RangeError ? new GarbledBus('a message that cannot be read') : error);
    }
  }

  #end(reason: unknown): void {
    this.#socket.destroy();
    for (const { reject } of this.#pending.values()) reject(reason);
    this.#pending.clear();
  }
}

/** The single value of an answer. @throws {GarbledBus} if it is anything else */
export function one(reply: BusReply, type: 's' | 'o' | 'u'): string {
  if (reply.signature !== type) throw new GarbledBus(`an answer of type ${JSON.stringify(reply.signature)}`);
  return type === 'u' ? String(reply.body.uint32()) : reply.body.text();
}

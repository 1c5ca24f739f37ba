import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageLength } from './bus-message.ts';
import { WireReader } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

/** What a bus answers: nothing at all, raw bytes, an error, or values by type. */
export type Answer =
  | undefined
  | { readonly raw: Uint8Array }
  | { readonly error: string }
  | { readonly type: 's' | 'o' | 'u' | 'v'; readonly value: string | number };

interface Question {
  readonly member: string;
  readonly path: string;
  readonly body: WireReader;
}

type Behaviour = (question: Question) => Answer | Promise<Answer>;

/** A message bus on a real socket, with a systemd on it that says what it is told to. */
export class BusForTests implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'steeple-bus-'));
  readonly #server = createServer((socket) => this.#serve(socket));
  readonly #sockets = new Set<Socket>();
  readonly path = join(this.#folder, 'bus');
  readonly questions: string[] = [];
  answer: Behaviour;
  /** The answer to AUTH; undefined for none. */
  greeting: string | undefined = 'OK 0123456789abcdef0123456789abcdef';

  private constructor(answer: Behaviour) {
    this.answer = answer;
  }

  static async start(answer: Behaviour = oneUnit()): Promise<BusForTests> {
    const bus = new BusForTests(answer);
    await bus.listen();
    return bus;
  }

  get environment(): NodeJS.ProcessEnv {
    return { DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${this.path}` };
  }

  get connections(): number {
    return this.#sockets.size;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.path, resolve));
  }

  /** Hangs up on everybody and is gone, until it listens again. */
  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true });
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket)).on('error', () => {});
    let text = '';
    const greet = (bytes: Buffer) => {
      text += bytes.toString('latin1');
      const begun = text.indexOf('BEGIN\r\n');
      if (begun >= 0) {
        socket.off('data', greet);
        this.#talk(socket, Buffer.from(text.slice(begun + 7), 'latin1'));
      } else if (text.endsWith('NEGOTIATE_UNIX_FD\r\n')) {
        socket.write('ERROR\r\n');
      } else if (text.endsWith('\r\n') && this.greeting !== undefined) {
        socket.write(`${this.greeting}\r\n`);
      }
    };
    socket.on('data', greet);
  }

  #talk(socket: Socket, first: Buffer): void {
    let received = Buffer.alloc(0);
    const take = (bytes: Buffer): void => {
      received = Buffer.concat([received, bytes]);
      for (let length = messageLength(received); length !== undefined && received.length >= length; ) {
        void this.#reply(received.subarray(0, length), socket);
        received = received.subarray(length);
        length = messageLength(received);
      }
    };
    socket.on('data', take);
    take(first);
  }

  async #reply(message: Uint8Array, socket: Socket): Promise<void> {
    const reader = new WireReader(message, true, 8);
    const serial = reader.uint32();
    const end = 16 + reader.uint32();
    const fields = new Map<number, string | number>();
    while (reader.position < end) {
      reader.align(8);
      fields.set(reader.byte(), reader.variant().value);
    }
    reader.align(8);
    const [path, member] = [String(fields.get(1)), String(fields.get(3))];
    this.questions.push(member);
    const answer = await this.answer({ path, member, body: reader });
    if (answer !== undefined) socket.write('raw' in answer ? answer.raw : formatAnswer(serial, answer));
  }
}

/** A bus that knows this process, and for every process the same unit. */
export function oneUnit(id = 'web.service', fragmentPath = '/etc/systemd/system/web.service'): Behaviour {
  return ({ member, body }) => {
    if (member === 'Hello') return { type: 's', value: ':1.7' };
    if (member === 'GetConnectionUnixProcessID') return { type: 'u', value: process.pid };
    if (member === 'GetUnitByPID') return { type: 'o', value: '/org/freedesktop/systemd1/unit/web_2eservice' };
    if (member !== 'Get') return { error: 'org.freedesktop.DBus.Error.UnknownMethod' };
    body.text();
    return { type: 'v', value: body.text() === 'Id' ? id : fragmentPath };
  };
}

function formatAnswer(serial: number, answer: Exclude<Answer, undefined | { raw: Uint8Array }>): Uint8Array {
  const [body, fields] = [new WireWriter(), new WireWriter()];
  fields.byte(5).signature('u').uint32(serial);
  if ('error' in answer) {
    fields.align(8).byte(4).signature('s').text(answer.error);
  } else {
    fields.align(8).byte(8).signature('g').signature(answer.type);
    if (answer.type === 'v') body.signature('s').text(String(answer.value));
    else if (answer.type === 'u') body.uint32(Number(answer.value));
    else body.text(String(answer.value));
  }
  const message = new WireWriter()
    .raw(Buffer.from('l'))
    .byte('error' in answer ? 3 : 2)
    .byte(1)
    .byte(1);
  message.uint32(body.length).uint32(1).uint32(fields.length).raw(fields.take());
  return message.align(8).raw(body.take()).take();
}

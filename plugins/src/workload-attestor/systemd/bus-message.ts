import { GarbledBus, WireReader } from './wire-reader.ts';
import { type Argument, WireWriter } from './wire-writer.ts';

/** A question to one object on the bus. */
export interface BusCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly arguments: readonly Argument[];
}

/** An answer, or the refusal of one. */
export interface BusReply {
  readonly replyTo: number;
  /** The name of the error if it is one. */
  readonly error: string | undefined;
  /** The types of what it says. */
  readonly signature: string;
  readonly body: WireReader;
}

/** Of a message; what systemd and the bus say to us takes a few hundred bytes. */
const MAX_MESSAGE_BYTES = 64 * 1024;
const FIXED_BYTES = 16;

const METHOD_CALL = 1;
const METHOD_RETURN = 2;
const ERROR = 3;

/** Nobody is to be started by the bus to answer us. */
const NO_AUTO_START = 2;

const FIELD = { path: 1, interface: 2, member: 3, error: 4, replyTo: 5, destination: 6, signature: 8, descriptors: 9 };

/** The bytes of a call (D-Bus specification, "Message Format"). `serial` is not 0. */
export function formatCall(call: BusCall, serial: number): Uint8Array {
  const body = new WireWriter();
  for (const argument of call.arguments) body.argument(argument);
  const signature = call.arguments.flatMap((argument) => Object.keys(argument)).join('');

  const fields = new WireWriter();
  const field = (code: number, type: string) => fields.align(8).byte(code).signature(type);
  field(FIELD.path, 'o').text(call.path);
  field(FIELD.destination, 's').text(call.destination);
  field(FIELD.interface, 's').text(call.interface);
  field(FIELD.member, 's').text(call.member);
  if (signature !== '') field(FIELD.signature, 'g').signature(signature);
  const descriptors = call.arguments.filter((argument) => 'h' in argument).length;
  if (descriptors > 0) field(FIELD.descriptors, 'u').uint32(descriptors);

  const message = new WireWriter().raw(Buffer.from('l')).byte(METHOD_CALL).byte(NO_AUTO_START).byte(1);
  message.uint32(body.length).uint32(serial).uint32(fields.length).raw(fields.take());
  return message.align(8).raw(body.take()).take();
}

/** How long the message is that begins with these bytes; undefined if it cannot be told yet. @throws {GarbledBus} */
export function messageLength(bytes: Uint8Array): number | undefined {
  if (bytes.byteLength < FIXED_BYTES) return undefined;
  const fixed = new WireReader(bytes, isLittle(bytes), 4);
  if (bytes[3] !== 1) throw new GarbledBus(`protocol version ${bytes[3]}`);
  const body = fixed.uint32();
  fixed.uint32();
  const length = Math.ceil((FIXED_BYTES + fixed.uint32()) / 8) * 8 + body;
  if (length > MAX_MESSAGE_BYTES) throw new GarbledBus(`a message of ${length} bytes`);
  return length;
}

/** Reads a whole message. Undefined for one that answers nothing, such as a signal. @throws {GarbledBus} */
export function parseReply(message: Uint8Array): BusReply | undefined {
  const type = message[1];
  if (type !== METHOD_RETURN && type !== ERROR) return undefined;
  const reader = new WireReader(message, isLittle(message), 12);
  const end = FIXED_BYTES + reader.uint32();
  const fields = new Map<number, string | number>();
  while (reader.position < end) {
    reader.align(8);
    fields.set(reader.byte(), reader.variant().value);
  }
  reader.align(8);
  const replyTo = fields.get(FIELD.replyTo);
  if (typeof replyTo !== 'number') throw new GarbledBus('an answer to nothing');
  const error = fields.get(FIELD.error);
  return {
    replyTo,
    error: type === ERROR ? String(error ?? 'an error without a name') : undefined,
    signature: String(fields.get(FIELD.signature) ?? ''),
    body: reader,
  };
}

function isLittle(message: Uint8Array): boolean {
  if (message[0] === 0x6c) return true;
  if (message[0] === 0x42) return false;
  throw new GarbledBus('something that is no D-Bus message');
}

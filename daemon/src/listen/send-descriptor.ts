import type { Socket } from 'node:net';
import { endianness } from 'node:os';
import koffi from 'koffi';
import { descriptorOf } from './descriptor-of.ts';

// From the kernel's uapi headers; the same on every architecture Node is published for.
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;

const HEADER_BYTES = 16;

type SendMsg = (fd: number, message: object, flags: number) => number;
let loaded: SendMsg | undefined;

/**
 * Sends bytes over a Unix socket with one open file descriptor beside them, which the receiver gets as its own (unix(7),
 * SCM_RIGHTS). Node has no way to.
 *
 * @returns false if nothing was sent, because other bytes wait to be sent or the kernel cannot take it now.
 */
export function sendDescriptor(socket: Socket, bytes: Uint8Array, descriptor: number): boolean {
  // What the stream still holds would come after these bytes.
  if (process.platform !== 'linux' || koffi.sizeof('size_t') !== 8 || socket.writableLength > 0) return false;
  const message = {
    name: null,
    nameLength: 0,
    pieces: { base: bytes, length: bytes.byteLength },
    count: 1,
    control: rights(descriptor),
    controlLength: HEADER_BYTES + 8,
    flags: 0,
  };
  const sent = sendmsg(descriptorOf(socket), message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent <= 0) return false;
  if (sent < bytes.byteLength) socket.write(bytes.subarray(sent));
  return true;
}

/** A `cmsghdr` with one descriptor in it, padded to the size of a pointer. */
function rights(descriptor: number): Uint8Array {
  const control = new Uint8Array(HEADER_BYTES + 8);
  const view = new DataView(control.buffer);
  const little = endianness() === 'LE';
  view.setBigUint64(0, BigInt(HEADER_BYTES + 4), little);
  view.setInt32(8, SOL_SOCKET, little);
  view.setInt32(12, SCM_RIGHTS, little);
  view.setInt32(16, descriptor, little);
  return control;
}

function sendmsg(...args: Parameters<SendMsg>): number {
  loaded ??= load();
  return loaded(...args);
}

function load(): SendMsg {
  const iovec = koffi.struct({ base: 'uint8_t *', length: 'size_t' });
  const msghdr = koffi.struct({
    name: 'void *',
    nameLength: 'uint32_t',
    pieces: koffi.pointer(iovec),
    count: 'size_t',
    control: 'uint8_t *',
    controlLength: 'size_t',
    flags: 'int',
  });
  return koffi.load(null).func('sendmsg', 'intptr_t', ['int', koffi.pointer(msghdr), 'int']) as SendMsg;
}

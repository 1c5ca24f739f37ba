import { type FileHandle, open, stat } from 'node:fs/promises';
import { createConnection, type NetConnectOpts, type Socket } from 'node:net';
import { TpmFormatError } from './bytes.ts';

/** A way to a TPM: one command, one response. */
export interface TpmTransport {
  /** @throws {Error} if no whole response comes before the signal aborts */
  exchange(command: Uint8Array, signal: AbortSignal): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** No response of a TPM is longer. */
const MAX_RESPONSE = 4096;
const HEADER = 10;
const TCP = /^tcp:\/\/(?:\[([0-9A-Fa-f:.]+)\]|([^/:]+)):(\d{1,5})$/;

/** Host and port of `tcp://host:port`, as simulators listen; undefined for a path. */
export function tcpAddress(device: string): { readonly host: string; readonly port: number } | undefined {
  const [, ipv6, host, port] = TCP.exec(device) ?? [];
  const name = ipv6 ?? host;
  return name === undefined || Number(port) > 65_535 ? undefined : { host: name, port: Number(port) };
}

/**
 * Opens a TPM: a character device, the Unix socket of a simulator, or `tcp://host:port`.
 *
 * @throws {Error} with a reason that names the device
 */
export async function openTransport(device: string): Promise<TpmTransport> {
  const address = tcpAddress(device);
  if (address !== undefined) return simulator(address);
  const found = await stat(device);
  if (found.isSocket()) return simulator({ path: device });
  if (found.isCharacterDevice()) return new DeviceTransport(await open(device, 'r+'));
  throw new Error('it is neither a character device nor a socket');
}

/** A connection for each command: simulators serve one at a time, and some hang up after each response. */
function simulator(address: NetConnectOpts): TpmTransport {
  return {
    exchange: (command, signal) => {
      const socket = createConnection({ ...address, signal });
      socket.write(command);
      return readResponse(socket).finally(() => socket.destroy());
    },
    close: async () => undefined,
  };
}

async function readResponse(socket: Socket): Promise<Uint8Array> {
  let response: Buffer = Buffer.alloc(0);
  for await (const chunk of socket) {
    response = Buffer.concat([response, chunk as Buffer]);
    if (isWhole(response)) return response;
  }
  throw new Error('the TPM hung up before it answered');
}

class DeviceTransport implements TpmTransport {
  readonly #file: FileHandle;
  #last: Promise<unknown> = Promise.resolve();

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async exchange(command: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    signal.throwIfAborted();
    const answer = this.#exchange(command);
    this.#last = answer.catch(() => undefined);
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort);
    try {
      return await Promise.race([answer, aborted]);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** The kernel cannot be told to stop: an exchange that nobody waits for any more is let run out first. */
  async close(): Promise<void> {
    void this.#last.then(() => this.#file.close()).catch(() => undefined);
  }

  async #exchange(command: Uint8Array): Promise<Uint8Array> {
    await this.#file.write(command, 0, command.length, null);
    let response: Buffer = Buffer.alloc(0);
    for (;;) {
      const { bytesRead, buffer } = await this.#file.read(Buffer.alloc(MAX_RESPONSE), 0, MAX_RESPONSE, null);
      if (bytesRead === 0) throw new Error('the TPM gave no answer');
      response = Buffer.concat([response, buffer.subarray(0, bytesRead)]);
      if (isWhole(response)) return response;
    }
  }
}

/** Whether these are all bytes that the header announces. */
function isWhole(response: Buffer): boolean {
  if (response.length < HEADER) return false;
  const size = response.readUInt32BE(2);
  if (size < HEADER || size > MAX_RESPONSE || response.length > size) {
    throw new TpmFormatError('the answer does not have the size that it announces');
  }
  return response.length === size;
}

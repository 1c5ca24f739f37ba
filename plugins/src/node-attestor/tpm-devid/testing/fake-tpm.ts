import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { ALG } from '../tpm/algorithms.ts';
import { TpmReader, u16, u32 } from '../tpm/bytes.ts';
import { fakeCommands, RC, Refusal, refuse } from './fake-tpm-commands.ts';
import { type SoftwareKey, softwareKey } from './software-keys.ts';

/** What `interfere` gives if nothing is to be answered. */
export const SILENCE = new Uint8Array();

/** A TPM without a resource manager has room for three keys. */
const MAX_LOADED = 3;

/**
 * A TPM in software, as far as attestation needs one: it keeps count of what is loaded, checks passwords, and makes the
 * same key of the same template.
 */
export class FakeTpm {
  readonly passwords = { owner: '', endorsement: '', devId: '' };
  readonly nv = new Map<number, Uint8Array>();
  readonly loaded = new Map<number, SoftwareKey>();
  /** Policy sessions, and whether their policy is satisfied. */
  readonly sessions = new Map<number, boolean>();
  /** Codes in the order of their execution. */
  readonly executed: number[] = [];
  /** Answers instead of the TPM, if it gives bytes; empty bytes: hangs up. */
  interfere: (code: number) => Uint8Array | undefined = () => undefined;
  readonly #keys = new Map<string, SoftwareKey>();
  readonly #blobs = new Map<string, SoftwareKey>();
  #nextHandle = 0x80000000;

  /** How many keys and sessions are in the TPM's memory. */
  get residents(): number {
    return this.loaded.size + this.sessions.size;
  }

  key(template: Uint8Array): SoftwareKey {
    const id = Buffer.from(template).toString('hex');
    const known = this.#keys.get(id);
    if (known !== undefined) return known;
    const isRsa = new TpmReader(template).u16('type') === ALG.rsa;
    const { privateKey } = isRsa
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const made = softwareKey(privateKey, template);
    this.#keys.set(id, made);
    return made;
  }

  /** A blob that only this TPM can load. */
  seal(key: SoftwareKey): Uint8Array {
    const blob = randomBytes(96);
    this.#blobs.set(blob.toString('hex'), key);
    return blob;
  }

  unseal(blob: Uint8Array): SoftwareKey {
    return this.#blobs.get(Buffer.from(blob).toString('hex')) ?? refuse(RC.integrity);
  }

  load(key: SoftwareKey): number {
    if (this.loaded.size === MAX_LOADED) throw new Refusal(RC.memory);
    this.#nextHandle += 1;
    this.loaded.set(this.#nextHandle, key);
    return this.#nextHandle;
  }

  find(handle: number): SoftwareKey {
    return this.loaded.get(handle) ?? refuse(RC.handle);
  }

  execute(command: Uint8Array): Uint8Array {
    const reader = new TpmReader(command);
    const tag = reader.u16('tag');
    reader.u32('size');
    const code = reader.u32('code');
    this.executed.push(code);
    const interference = this.interfere(code);
    if (interference !== undefined) return interference;
    try {
      const run = fakeCommands[code] ?? (() => refuse(RC.unknown));
      const { handle, parameters = [] } = run(this, reader);
      const body = Buffer.concat(parameters);
      const area = tag === 0x8002 ? [u32(body.length), body, Buffer.alloc(5)] : [body];
      return response(tag, 0, ...(handle === undefined ? [] : [u32(handle)]), ...area);
    } catch (error) {
      if (error instanceof Refusal) return response(0x8001, error.code);
      throw error;
    }
  }

  /** Serves on a socket as simulators do. */
  async serve(path: string): Promise<AsyncDisposable> {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (command) => {
        const answer = this.execute(command);
        if (answer === SILENCE) return;
        if (answer.length === 0) socket.destroy();
        else socket.write(answer);
      });
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return { [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())) };
  }
}

export function response(tag: number, code: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(parts);
  return Buffer.concat([u16(tag), u32(10 + body.length), u32(code), body]);
}

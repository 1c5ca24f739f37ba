import { ALG } from './algorithms.ts';
import { sized, type TpmReader, u8, u16, u32 } from './bytes.ts';
import { type Answer, type Command, run } from './command.ts';
import type { SignatureScheme } from './public-area.ts';
import type { TpmTransport } from './transport.ts';

export const OWNER = 0x40000001;
const NULL_HANDLE = 0x40000007;
export const ENDORSEMENT = 0x4000000b;
const TPM_PROPERTIES = 6;
const POLICY_SESSION = 1;
const SILENT = 'the TPM does not answer';
const NO_PASSWORD = { password: new Uint8Array() };

/** A key as it is given to TPM2_Load: public area, and what only this TPM can decrypt. */
export interface KeyBlobs {
  readonly publicArea: Uint8Array;
  readonly privateBlob: Uint8Array;
}

/** Something in the TPM's memory; at the end of its scope it is thrown out. */
export interface Loaded extends AsyncDisposable {
  readonly handle: number;
}

export interface Signed {
  readonly attestation: Uint8Array;
  /** TPMT_SIGNATURE. */
  readonly signature: Uint8Array;
}

export interface TpmOptions {
  readonly transport: TpmTransport;
  /** No command begins after it aborts. One that runs is waited for a little, or what it loads would be lost in there. */
  readonly signal: AbortSignal;
  /** Something could not be thrown out of the TPM. */
  readonly onLeak: (error: unknown) => void;
}

/** Seconds a command may take: some TPMs need most of a minute for an RSA key. */
const COMMAND_TIMEOUT = 120;
/** Seconds that remain for a command when nobody wants its result any more, and for throwing something out. */
const PATIENCE = 10;

/** The commands that attestation needs. Passwords go over the wire as they are: the way to the TPM is trusted. */
export class Tpm {
  readonly #options: TpmOptions;
  /** It did not answer in time, so it is not asked for anything more. */
  #isSilent = false;

  constructor(options: TpmOptions) {
    this.#options = options;
  }

  async createPrimary(
    hierarchy: number,
    password: Uint8Array,
    template: Uint8Array,
  ): Promise<Loaded & { readonly publicArea: Uint8Array }> {
    const { handle, parameters } = await this.#run({
      name: 'CreatePrimary',
      handles: [hierarchy],
      authorizations: [{ password }],
      parameters: creation(template),
      returnsHandle: true,
    });
    const loaded = this.#loaded(handle);
    return { ...loaded, publicArea: parameters.sized('public area') };
  }

  async create(parent: Loaded, template: Uint8Array): Promise<KeyBlobs> {
    const { parameters } = await this.#run({
      name: 'Create',
      handles: [parent.handle],
      authorizations: [NO_PASSWORD],
      parameters: creation(template),
    });
    const privateBlob = parameters.sized('private blob');
    return { privateBlob, publicArea: parameters.sized('public area') };
  }

  async load(parent: Loaded, blobs: KeyBlobs): Promise<Loaded> {
    const { handle } = await this.#run({
      name: 'Load',
      handles: [parent.handle],
      authorizations: [NO_PASSWORD],
      parameters: [sized(blobs.privateBlob), sized(blobs.publicArea)],
      returnsHandle: true,
    });
    return this.#loaded(handle);
  }

  /** What is loaded, encrypted for this TPM only. */
  async saveContext(loaded: Loaded): Promise<Uint8Array> {
    const { parameters } = await this.#run({ name: 'ContextSave', handles: [loaded.handle] });
    return parameters.rest();
  }

  async loadContext(context: Uint8Array): Promise<Loaded> {
    const { handle } = await this.#run({ name: 'ContextLoad', parameters: [context], returnsHandle: true });
    return this.#loaded(handle);
  }

  /** The signer, which needs no password, says that the TPM holds the key. */
  async certify(key: Loaded, password: Uint8Array, signer: Loaded): Promise<Signed> {
    const { parameters } = await this.#run({
      name: 'Certify',
      handles: [key.handle, signer.handle],
      authorizations: [{ password }, NO_PASSWORD],
      parameters: [sized(), u16(ALG.null)],
    });
    return { attestation: parameters.sized('attestation'), signature: parameters.rest() };
  }

  /** Hashed by the TPM, so that a restricted key signs it too. @returns TPMT_SIGNATURE */
  async sign(key: Loaded, password: Uint8Array, scheme: SignatureScheme, data: Uint8Array): Promise<Uint8Array> {
    const hashed = await this.#run({ name: 'Hash', parameters: [sized(data), u16(scheme.hash), u32(OWNER)] });
    const digest = hashed.parameters.sized('digest');
    const ticket = hashed.parameters.rest();
    const { parameters } = await this.#run({
      name: 'Sign',
      handles: [key.handle],
      authorizations: [{ password }],
      parameters: [sized(digest), u16(scheme.algorithm), u16(scheme.hash), ticket],
    });
    return parameters.rest();
  }

  /** A session that may use the endorsement key. */
  async endorsementSession(password: Uint8Array): Promise<Loaded> {
    const noSymmetric = u16(ALG.null);
    const { handle } = await this.#run({
      name: 'StartAuthSession',
      handles: [NULL_HANDLE, NULL_HANDLE],
      parameters: [sized(Buffer.alloc(16)), sized(), u8(POLICY_SESSION), noSymmetric, u16(ALG.sha256)],
      returnsHandle: true,
    });
    const session = this.#loaded(handle);
    try {
      await this.#run({
        name: 'PolicySecret',
        handles: [ENDORSEMENT, handle],
        authorizations: [{ password }],
        parameters: [sized(), sized(), sized(), u32(0)],
      });
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw error;
    }
    return session;
  }

  async activateCredential(
    key: Loaded,
    endorsementKey: Loaded,
    session: Loaded,
    blob: Uint8Array,
    encryptedSeed: Uint8Array,
  ): Promise<Uint8Array> {
    const { parameters } = await this.#run({
      name: 'ActivateCredential',
      handles: [key.handle, endorsementKey.handle],
      authorizations: [NO_PASSWORD, { policySession: session.handle }],
      parameters: [sized(blob), sized(encryptedSeed)],
    });
    return parameters.sized('secret');
  }

  /** Bytes of an NV index. */
  async nvSize(index: number): Promise<number> {
    const { parameters } = await this.#run({ name: 'NV_ReadPublic', handles: [index] });
    const area: Uint8Array = parameters.sized('NV index');
    return Buffer.from(area).readUInt16BE(area.length - 2);
  }

  async nvRead(index: number, offset: number, length: number): Promise<Uint8Array> {
    const { parameters } = await this.#run({
      name: 'NV_Read',
      handles: [index, index],
      authorizations: [NO_PASSWORD],
      parameters: [u16(length), u16(offset)],
    });
    return parameters.sized('NV data');
  }

  /** One of the TPM's numbers (TPM_PT), undefined if it has none. */
  async property(tag: number): Promise<number | undefined> {
    const { parameters } = await this.#run({ name: 'GetCapability', parameters: [TPM_PROPERTIES, tag, 1].map(u32) });
    return readProperty(parameters, tag);
  }

  #loaded(handle: number): Loaded {
    return { handle, [Symbol.asyncDispose]: () => this.#flush(handle) };
  }

  async #flush(handle: number): Promise<void> {
    const { transport, onLeak } = this.#options;
    if (this.#isSilent) return onLeak(new Error(SILENT));
    const command: Command = { name: 'FlushContext', parameters: [u32(handle)] };
    await run(transport, command, AbortSignal.timeout(PATIENCE * 1000)).catch(onLeak);
  }

  async #run(command: Command): Promise<Answer> {
    const { transport, signal } = this.#options;
    signal.throwIfAborted();
    const patience = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const hurry = () => {
      timer = setTimeout(() => patience.abort(signal.reason), PATIENCE * 1000);
    };
    signal.addEventListener('abort', hurry);
    const bounds = AbortSignal.any([patience.signal, AbortSignal.timeout(COMMAND_TIMEOUT * 1000)]);
    try {
      return await run(transport, command, bounds);
    } catch (error) {
      if (!bounds.aborted) throw error;
      this.#isSilent = true;
      signal.throwIfAborted();
      throw new Error(SILENT, { cause: error });
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', hurry);
    }
  }
}

/** No secret of the caller's, the template, nothing to remember, no PCRs. */
function creation(template: Uint8Array): readonly Uint8Array[] {
  return [sized(sized(), sized()), sized(template), sized(), u32(0)];
}

function readProperty(answer: TpmReader, tag: number): number | undefined {
  answer.u8('more data');
  answer.u32('capability');
  if (answer.u32('count') === 0 || answer.u32('property') !== tag) return undefined;
  return answer.u32('value');
}

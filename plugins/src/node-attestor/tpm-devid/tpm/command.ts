import { setTimeout as sleep } from 'node:timers/promises';
import { sized, TpmFormatError, TpmReader, u8, u16, u32 } from './bytes.ts';
import { isRetry, TpmError } from './response-code.ts';
import type { TpmTransport } from './transport.ts';

/** Codes of the commands that are used (TPM 2.0 library part 2, table 12). */
const COMMANDS = {
  NV_Read: 0x14e,
  CreatePrimary: 0x131,
  ActivateCredential: 0x147,
  Certify: 0x148,
  PolicySecret: 0x151,
  Create: 0x153,
  Load: 0x157,
  Sign: 0x15d,
  ContextLoad: 0x161,
  ContextSave: 0x162,
  FlushContext: 0x165,
  NV_ReadPublic: 0x169,
  StartAuthSession: 0x176,
  GetCapability: 0x17a,
  Hash: 0x17d,
} as const;
type CommandName = keyof typeof COMMANDS;

const NO_SESSIONS = 0x8001;
const SESSIONS = 0x8002;
const PASSWORD_SESSION = 0x40000009;
const CONTINUE_SESSION = 1;
const MAX_TRIES = 10;

/** What authorizes a command: a password in the clear, or a policy session that needs no secret. */
type Authorization = { readonly password: Uint8Array } | { readonly policySession: number };

export interface Command {
  readonly name: CommandName;
  readonly handles?: readonly number[];
  readonly authorizations?: readonly Authorization[];
  readonly parameters?: readonly Uint8Array[];
  /** How many handles the response begins with: none or one. */
  readonly returnsHandle?: boolean;
}

export interface Answer {
  /** 0 if the command returns none. */
  readonly handle: number;
  readonly parameters: TpmReader;
}

/** Seconds between two tries: 0.01, then double each time up to 0.5. */
const retryDelay = (tries: number): number => Math.min(0.01 * 2 ** tries, 0.5);

/**
 * Runs one command, again if the TPM asks for that.
 *
 * @throws {TpmError} if the TPM refuses it
 * @throws {TpmFormatError} if the answer makes no sense
 */
export async function run(transport: TpmTransport, command: Command, signal: AbortSignal): Promise<Answer> {
  const request = encode(command);
  for (let tries = 0; ; tries += 1) {
    const response = await transport.exchange(request, signal);
    const code = new TpmReader(response.subarray(6)).u32('response code');
    if (code === 0) return decode(command, response);
    if (!isRetry(code) || tries === MAX_TRIES) throw new TpmError(command.name, code);
    await sleep(retryDelay(tries) * 1000, undefined, { signal });
  }
}

function encode({ name, handles = [], authorizations = [], parameters = [] }: Command): Uint8Array {
  const areas = handles.map(u32);
  if (authorizations.length > 0) {
    const area = Buffer.concat(authorizations.map(encodeAuthorization));
    areas.push(u32(area.length), area);
  }
  const body = Buffer.concat([u32(COMMANDS[name]), ...areas, ...parameters]);
  const tag = authorizations.length > 0 ? SESSIONS : NO_SESSIONS;
  return Buffer.concat([u16(tag), u32(body.length + 6), body]);
}

/** TPMS_AUTH_COMMAND: neither kind carries a nonce. */
function encodeAuthorization(authorization: Authorization): Uint8Array {
  const session = 'password' in authorization ? PASSWORD_SESSION : authorization.policySession;
  const secret = 'password' in authorization ? authorization.password : new Uint8Array();
  return Buffer.concat([u32(session), sized(), u8(CONTINUE_SESSION), sized(secret)]);
}

function decode(command: Command, response: Uint8Array): Answer {
  const reader = new TpmReader(response);
  const tag = reader.u16('tag');
  reader.bytes(8, 'header');
  const handle = command.returnsHandle === true ? reader.u32('handle') : 0;
  if (tag === NO_SESSIONS) return { handle, parameters: reader };
  if (tag !== SESSIONS) throw new TpmFormatError('the answer has an unknown tag');
  const size = reader.u32('size of parameters');
  return { handle, parameters: new TpmReader(reader.bytes(size, 'parameters')) };
}

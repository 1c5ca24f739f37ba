import { createHash } from 'node:crypto';
import { ATTRIBUTE } from '../tpm/algorithms.ts';
import { sized, TpmReader, u8, u16, u32 } from '../tpm/bytes.ts';
import { hasAttributes } from '../tpm/public-area.ts';
import { activate, certificationOf, type SoftwareKey, tpmSignature } from './software-keys.ts';

/** What the commands work on. */
interface Memory {
  readonly passwords: { readonly owner: string; readonly endorsement: string; readonly devId: string };
  readonly nv: ReadonlyMap<number, Uint8Array>;
  readonly loaded: Map<number, SoftwareKey>;
  readonly sessions: Map<number, boolean>;
  key(template: Uint8Array): SoftwareKey;
  seal(key: SoftwareKey): Uint8Array;
  unseal(blob: Uint8Array): SoftwareKey;
  load(key: SoftwareKey): number;
  find(handle: number): SoftwareKey;
}

interface Result {
  readonly handle?: number;
  readonly parameters?: readonly Uint8Array[];
}

export const RC = { badAuth: 0x9a2, handle: 0x18b, integrity: 0x1df, memory: 0x902, policy: 0x99d, unknown: 0x143 };

export class Refusal extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`0x${code.toString(16)}`);
    this.code = code;
  }
}

export function refuse(code: number): never {
  throw new Refusal(code);
}

const ENDORSEMENT = 0x4000000b;
const PASSWORD_SESSION = 0x40000009;
const SESSION = 0x03000000;

/** By code. */
export const fakeCommands: Readonly<Record<number, (tpm: Memory, reader: TpmReader) => Result>> = {
  0x131: createPrimary,
  0x147: activateCredential,
  0x148: certify,
  0x14e: nvRead,
  0x151: policySecret,
  0x153: create,
  0x157: load,
  0x15d: sign,
  0x161: (tpm, reader) => ({ handle: tpm.load(tpm.unseal(reader.rest())) }),
  0x162: (tpm, reader) => ({ parameters: [tpm.seal(tpm.find(reader.u32('handle')))] }),
  0x165: flush,
  0x169: nvReadPublic,
  0x176: startAuthSession,
  0x17a: () => ({ parameters: [u8(0), u32(6), u32(1), u32(0x12c), u32(512)] }),
  0x17d: hash,
};

function createPrimary(tpm: Memory, reader: TpmReader): Result {
  const isEndorsement = reader.u32('hierarchy') === ENDORSEMENT;
  authorize(reader, isEndorsement ? tpm.passwords.endorsement : tpm.passwords.owner);
  const key = tpm.key(templateIn(reader));
  return { handle: tpm.load(key), parameters: [sized(key.area.raw), sized()] };
}

function create(tpm: Memory, reader: TpmReader): Result {
  tpm.find(reader.u32('parent'));
  authorize(reader, '');
  const key = tpm.key(templateIn(reader));
  return { parameters: [sized(tpm.seal(key)), sized(key.area.raw)] };
}

function load(tpm: Memory, reader: TpmReader): Result {
  tpm.find(reader.u32('parent'));
  authorize(reader, '');
  const key = tpm.unseal(reader.sized('private blob'));
  if (!Buffer.from(reader.sized('public area')).equals(key.area.raw)) refuse(RC.integrity);
  return { handle: tpm.load(key), parameters: [sized(key.area.name)] };
}

function flush(tpm: Memory, reader: TpmReader): Result {
  const handle = reader.u32('handle');
  if (!tpm.loaded.delete(handle) && !tpm.sessions.delete(handle)) refuse(RC.handle);
  return {};
}

function certify(tpm: Memory, reader: TpmReader): Result {
  const [key, signer] = [tpm.find(reader.u32('key')), tpm.find(reader.u32('signer'))];
  authorize(reader, passwordOf(tpm, key), '');
  const attestation = certificationOf(key.area.name);
  return { parameters: [sized(attestation), tpmSignature(signer, attestation)] };
}

function hash(_tpm: Memory, reader: TpmReader): Result {
  // The fake hashes when it signs: its digest is the data itself.
  return { parameters: [sized(reader.sized('data')), u16(0x8024), u32(0x40000001), sized()] };
}

function sign(tpm: Memory, reader: TpmReader): Result {
  const key = tpm.find(reader.u32('key'));
  authorize(reader, passwordOf(tpm, key));
  return { parameters: [tpmSignature(key, reader.sized('digest'))] };
}

function startAuthSession(tpm: Memory): Result {
  const handle = SESSION + tpm.sessions.size;
  tpm.sessions.set(handle, false);
  return { handle, parameters: [sized(createHash('sha256').digest())] };
}

function policySecret(tpm: Memory, reader: TpmReader): Result {
  if (reader.u32('entity') !== ENDORSEMENT) refuse(RC.handle);
  const session = reader.u32('session');
  authorize(reader, tpm.passwords.endorsement);
  if (!tpm.sessions.has(session)) refuse(RC.handle);
  tpm.sessions.set(session, true);
  return { parameters: [sized(), u16(0x8023), u32(ENDORSEMENT), sized()] };
}

function activateCredential(tpm: Memory, reader: TpmReader): Result {
  const [key, endorsement] = [tpm.find(reader.u32('key')), tpm.find(reader.u32('endorsement key'))];
  const [password, session] = authorizations(reader);
  if (password !== '') refuse(RC.badAuth);
  if (typeof session !== 'number' || tpm.sessions.get(session) !== true) refuse(RC.policy);
  const secret = activate(endorsement, key.area.name, reader.sized('blob'), reader.sized('seed'));
  return { parameters: [sized(secret ?? refuse(RC.integrity))] };
}

function nvReadPublic(tpm: Memory, reader: TpmReader): Result {
  const data = tpm.nv.get(reader.u32('index')) ?? refuse(RC.handle);
  return { parameters: [sized(Buffer.alloc(12), u16(data.length)), sized()] };
}

function nvRead(tpm: Memory, reader: TpmReader): Result {
  const [, index] = [reader.u32('authorizing index'), reader.u32('index')];
  authorize(reader, '');
  const [length, offset] = [reader.u16('size'), reader.u16('offset')];
  const data = tpm.nv.get(index) ?? refuse(RC.handle);
  return { parameters: [sized(data.subarray(offset, offset + length))] };
}

/** Attestation keys and parents have no password; a key that signs anything is the DevID key. */
function passwordOf(tpm: Memory, { area }: SoftwareKey): string {
  return hasAttributes(area, ATTRIBUTE.restricted) ? '' : tpm.passwords.devId;
}

function authorize(reader: TpmReader, ...passwords: readonly string[]): void {
  const given = authorizations(reader);
  if (given.length !== passwords.length || given.some((each, index) => each !== passwords[index])) refuse(RC.badAuth);
}

/** A password each, or the handle of a policy session. */
function authorizations(reader: TpmReader): readonly (string | number)[] {
  const area = new TpmReader(reader.bytes(reader.u32('size'), 'authorizations'));
  const given: (string | number)[] = [];
  while (!area.done) {
    const session = area.u32('session');
    area.sized('nonce');
    area.u8('attributes');
    const secret = Buffer.from(area.sized('secret')).toString();
    given.push(session === PASSWORD_SESSION ? secret : session);
  }
  return given;
}

function templateIn(reader: TpmReader): Uint8Array {
  reader.sized('sensitive');
  return reader.sized('template');
}

import { generateKeyPairSync } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '@steeple/daemon';
import { afterAll, describe, expect, it } from 'vitest';
import { DiskKeyManager, diskKeyManager } from './disk.ts';
import { keyManagerContract, spki } from './key-manager.contract.ts';

const directory = mkdtempSync(join(tmpdir(), 'steeple-keys-'));
afterAll(() => rmSync(directory, { recursive: true }));
let count = 0;
const newPath = () => join(directory, String(++count), 'keys.json');

function file(content: string | Uint8Array, mode = 0o600): string {
  const path = newPath();
  mkdirSync(join(path, '..'));
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

async function problemOf(path: string): Promise<string> {
  const error = await DiskKeyManager.open(path).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ConfigError)) throw new Error('the file was opened');
  expect(error.problems).toHaveLength(1);
  expect(error.problems[0]).toMatchObject({ path: 'keys_path', file: path });
  expect(error.cause).toBeUndefined();
  return error.message;
}

const pkcs8 = (key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey) =>
  key.export({ type: 'pkcs8', format: 'der' }).toString('base64');

describe('disk', () => {
  keyManagerContract(() => DiskKeyManager.open(newPath()));

  it("writes SPIRE's form, private and complete, and finds its keys again", async () => {
    const path = newPath();
    const manager = await DiskKeyManager.open(path);
    const made = await Promise.all(
      ['x509-CA-A', 'JWT-Signer-A', '__proto__'].map((id) => manager.generate(id, 'ec-p256')),
    );
    await manager.remove('JWT-Signer-A');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const { keys } = JSON.parse(readFileSync(path, 'utf8'));
    expect(Object.keys(keys)).toEqual(['x509-CA-A', '__proto__']);
    expect(keys['x509-CA-A']).toBe(made[0]?.privateKey?.export({ type: 'pkcs8', format: 'der' }).toString('base64'));
    const again = await DiskKeyManager.open(path);
    expect((await again.list()).map(spki)).toEqual([made[2], made[0]].map(spki));
    expect(readdirSync(join(path, '..'))).toEqual(['keys.json']);
  });

  it("reads SPIRE's file", async () => {
    const path = file(
      `{"keys":{"agent-svid-A":"${pkcs8()}","agent-svid-B":"${pkcs8(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey)}"}}`,
    );
    const manager = await DiskKeyManager.open(path);
    expect((await manager.list()).map(({ id, type }) => [id, type])).toEqual([
      ['agent-svid-A', 'ec-p256'],
      ['agent-svid-B', 'rsa-2048'],
    ]);
  });

  it.each([
    ['an empty file', () => '', 'is not valid JSON'],
    ['a truncated file', () => `{"keys":{"a":"${pkcs8()}`, 'is not valid JSON'],
    ['bytes that are no text', () => Uint8Array.of(0xff, 0xfe, 0x00), 'is not valid JSON'],
    ['a repeated key', () => `{"keys":{"a":"${pkcs8()}","a":"${pkcs8()}"}}`, 'is not valid JSON'],
    ['an array', () => '[]', 'has no object "keys"'],
    ['no keys', () => '{}', 'has no object "keys"'],
    ['keys that are no object', () => '{"keys":[]}', 'has no object "keys"'],
    ['a truncated key', () => `{"keys":{"a":"${pkcs8().slice(0, 40)}"}}`, 'holds a key "a"'],
    ['a key that is no base64', () => '{"keys":{"a":"!!"}}', 'holds a key "a"'],
    ['a key that is a number', () => '{"keys":{"a":1}}', 'holds a key "a"'],
    [
      'a key of a kind nobody has',
      () => `{"keys":{"a":"${pkcs8(generateKeyPairSync('x25519').privateKey)}"}}`,
      'holds a key "a"',
    ],
    ['a key without a name', () => `{"keys":{"":"${pkcs8()}"}}`, 'holds a key ""'],
    ['more than a megabyte', () => `{"keys":{}}${' '.repeat(1024 * 1024)}`, 'is larger than'],
  ])('refuses %s, says what to do, shows no secret and changes nothing', async (_name, content, expected) => {
    const bytes = content();
    const path = file(bytes);
    const message = await problemOf(path);
    expect(message).toContain(path);
    expect(message).toContain(expected);
    expect(message).toContain('it was left as it is: restore it from a backup');
    expect(message).not.toMatch(/MIG|MIIE/);
    expect(readFileSync(path).equals(Buffer.from(bytes))).toBe(true);
  });

  it.each([0o640, 0o604, 0o620, 0o666])('refuses a file with mode %o and names the remedy', async (mode) => {
    const path = file('{"keys":{}}', mode);
    expect(await problemOf(path)).toContain(`run: chmod 600 ${path}`);
  });

  it('refuses what is no file', async () => {
    const path = newPath();
    mkdirSync(path, { recursive: true });
    expect(await problemOf(path)).toMatch(/is not a regular file|cannot be read/);
    const loop = newPath();
    mkdirSync(join(loop, '..'));
    symlinkSync(loop, loop);
    expect(await problemOf(loop)).toContain('cannot be read (ELOOP)');
  });

  it('keeps the old key when the new one cannot be stored', async () => {
    const path = newPath();
    const manager = await DiskKeyManager.open(path);
    const old = await manager.generate('k', 'ec-p256');
    const before = readFileSync(path, 'utf8');
    // The directory becomes a file: nothing can be written there, not even by root.
    rmSync(join(path, '..'), { recursive: true });
    writeFileSync(join(path, '..'), '');
    await expect(manager.generate('k', 'ec-p256')).rejects.toMatchObject({ code: 'internal' });
    expect(spki(await manager.find('k'))).toBe(spki(old));
    rmSync(join(path, '..'));
    await manager.generate('other', 'ec-p256');
    expect(JSON.parse(readFileSync(path, 'utf8')).keys.k).toBe(JSON.parse(before).keys.k);
  });
});

describe('disk configuration', () => {
  const schema = diskKeyManager.schema;
  it('names a file as the server does, or a directory as the agent does', () => {
    expect(schema.parse({ keys_path: '/a/k.json' })).toBe('/a/k.json');
    expect(schema.parse({ directory: '/a' })).toBe('/a/keys.json');
    expect(schema.parse({ directory: 'a' })).toBe(join(process.cwd(), 'a/keys.json'));
  });

  it.each([{}, { keys_path: 'a', directory: 'b' }, { keys_path: '' }, { key_path: 'a' }, { keys_path: 1 }])(
    'refuses %j',
    (config) => {
      expect(schema.safeParse(config).success).toBe(false);
    },
  );
});

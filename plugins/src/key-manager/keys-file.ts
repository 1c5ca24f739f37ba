import { type FileHandle, open } from 'node:fs/promises';
import { ConfigError } from '@steeple/daemon';
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseJson,
  pkcs8Of,
  privateKeyFromPkcs8,
} from '@steeple/spiffe';
import { base64Of, bytesFromBase64 } from '../base64.ts';
import type { SigningKey } from './key-manager.ts';
import { localKey } from './local-key.ts';

/** Far above any real file: a server holds six keys. */
const MAX_BYTES = 1024 * 1024;
const LEFT = 'it was left as it is';
const RESTORE = `${LEFT}: restore it from a backup, or move it away to start with new keys`;

/**
 * Reads SPIRE's keys file, `{"keys":{"<id>":"<base64 of PKCS#8>"}}`; a file that does not exist holds no keys.
 *
 * @throws {ConfigError} naming the file and what to do; nothing is ever written to a file that could not be read.
 */
export async function readKeysFile(path: string): Promise<Map<string, SigningKey>> {
  const text = await readPrivate(path);
  if (text === undefined) return new Map();
  const keys = keysMember(path, text);
  return new Map(Object.entries(keys).map(([id, value]) => [id, storedKey(path, id, value)]));
}

/** The content of a keys file. */
export function formatKeysFile(keys: ReadonlyMap<string, SigningKey>): string {
  const members = [...keys].flatMap(([id, { privateKey }]) =>
    privateKey === undefined ? [] : [[id, base64Of(pkcs8Of(privateKey))] as const],
  );
  return `${JSON.stringify({ keys: Object.fromEntries(members) }, undefined, 2)}\n`;
}

async function readPrivate(path: string): Promise<Buffer | undefined> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    const stats = await file.stat();
    if (!stats.isFile()) throw problem(path, 'is not a regular file');
    if ((stats.mode & 0o077) !== 0) {
      const mode = (stats.mode & 0o777).toString(8).padStart(4, '0');
      throw problem(path, `can be read or written by other users (mode ${mode}); run: chmod 600 ${path}`);
    }
    if (stats.size > MAX_BYTES) throw problem(path, `is larger than ${MAX_BYTES} bytes; ${RESTORE}`);
    return await file.readFile();
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw problem(path, `cannot be read (${code}); check its owner and that of its directory`);
  } finally {
    await file?.close();
  }
}

function keysMember(path: string, text: Buffer): JsonObject {
  let document: JsonValue;
  try {
    document = parseJson(text, { maxBytes: MAX_BYTES, maxDepth: 4 });
  } catch {
    // The cause may quote the text, and the text is secret.
    throw problem(path, `is not valid JSON, perhaps cut short; ${RESTORE}`);
  }
  const keys = isJsonObject(document) ? document['keys'] : undefined;
  if (!isJsonObject(keys)) throw problem(path, `has no object "keys"; ${RESTORE}`);
  return keys;
}

function storedKey(path: string, id: string, value: unknown): SigningKey {
  try {
    const der = bytesFromBase64(value);
    if (id === '' || der === undefined) throw new TypeError('no base64');
    return localKey(id, privateKeyFromPkcs8(der));
  } catch {
    throw problem(path, `holds a key "${id}" that is no base64 of a supported PKCS#8 key; ${RESTORE}`);
  }
}

function problem(path: string, message: string): ConfigError {
  return new ConfigError([{ path: 'keys_path', file: path, message: `the keys file ${message}` }]);
}

import { readFileSync } from 'node:fs';

/**
 * Files that ssh-keygen of OpenSSH 9.2 wrote, by name. Hosts' keys and certificates of them are named after the kind of
 * key; `-cert` files with other names certify the Ed25519 key. `krl_…` are revocation lists in base64.
 */
const files = JSON.parse(readFileSync(new URL('ssh-keygen.json', import.meta.url), 'utf8')) as Record<string, string>;

export function vector(name: string): string {
  const text = files[name];
  if (text === undefined) throw new Error(`there is no vector ${name}`);
  return text;
}

export function blobOf(name: string): Uint8Array {
  return Buffer.from(vector(name).split(' ')[1] ?? '', 'base64');
}

export function listOf(name: string): Uint8Array {
  return Buffer.from(vector(name), 'base64');
}

import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../stack/process.ts';

/** Files of a key of ssh-keygen's, or of a certificate of it. */
export interface KeyFiles {
  /** The private key. */
  readonly key: string;
  /** The public key. */
  readonly pub: string;
}

export interface HostFiles extends KeyFiles {
  readonly certificate: string;
}

export async function keygen(...args: readonly string[]): Promise<void> {
  const { code, output } = await run('ssh-keygen', ['-q', ...args]);
  if (code !== 0) throw new Error(`ssh-keygen ${args.join(' ')}: ${output}`);
}

/** Keys and certificates in a folder, all made by ssh-keygen. */
export class SshKeys {
  readonly #folder: string;
  #count = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** `kind`: the words for ssh-keygen, such as `-t ed25519`. */
  async newKey(...kind: readonly string[]): Promise<KeyFiles> {
    const key = join(await this.#place(), 'key');
    await keygen('-N', '', '-f', key, ...kind);
    return { key, pub: `${key}.pub` };
  }

  /** Signs a certificate of the key. `how`: more words for ssh-keygen. */
  async certify(authority: KeyFiles, host: KeyFiles, ...how: readonly string[]): Promise<HostFiles> {
    const place = await this.#place();
    const pub = join(place, 'key.pub');
    await copyFile(host.pub, pub);
    await keygen('-s', authority.key, '-I', 'host', ...how, pub);
    return { ...host, certificate: join(place, 'key-cert.pub') };
  }

  async #place(): Promise<string> {
    this.#count += 1;
    const place = join(this.#folder, `k${this.#count}`);
    await mkdir(place, { recursive: true });
    return place;
  }
}

/** A line of a `.pub` file without its end. */
export async function lineOf(path: string): Promise<string> {
  return (await readFile(path, 'utf8')).trim();
}

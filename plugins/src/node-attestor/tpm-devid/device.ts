import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '@steeple/daemon';
import { tcpAddress } from './tpm/transport.ts';

const KEY = 'tpm_device_path';
/** The kernel's resource manager first: behind it nobody is in anybody's way. */
const NAMES = [/^tpmrm\d+$/, /^tpm\d+$/];

/**
 * The only TPM in the folder.
 *
 * @throws {ConfigError} if there is none, or more than one of the better kind
 */
export async function detectTpm(folder = '/dev'): Promise<string> {
  const entries = await readdir(folder);
  for (const name of NAMES) {
    const [first, second] = entries.filter((entry) => name.test(entry)).sort();
    if (second !== undefined) throw problem(`${folder} has more than one TPM (${first}, ${second}…): name one`);
    if (first !== undefined) return join(folder, first);
  }
  throw problem(`${folder} has no TPM (tpmrm0, tpm0): name the device`);
}

/** @throws {ConfigError} for what can be no TPM; one that is absent may still come */
export async function requireTpmPath(device: string): Promise<string> {
  if (device.startsWith('tcp:')) {
    if (tcpAddress(device) === undefined) throw problem(`"${device}" is no address; write "tcp://127.0.0.1:2321"`);
    return device;
  }
  const found = await stat(device).catch(() => undefined);
  if (found === undefined || found.isCharacterDevice() || found.isSocket()) return device;
  throw problem(`${device} is neither a character device nor a socket`);
}

function problem(message: string): ConfigError {
  return new ConfigError([{ path: KEY, message }]);
}

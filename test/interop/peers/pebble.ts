// Let's Encrypt's test authority, built from its published source.
import { join } from 'node:path';
import { run } from '../../stack/process.ts';
import { Skip } from '../case.ts';
import { exists, peerCache } from './cache.ts';

export const PEBBLE_VERSION = '2.8.0';
const folder = join(peerCache, `pebble-${PEBBLE_VERSION}`);

let building: Promise<string> | undefined;

/** The path of the program. @throws Skip if it is neither there nor can be built here */
export function pebble(): Promise<string> {
  building ??= (async () => {
    const path = join(folder, 'pebble');
    if (await exists(path)) return path;
    const source = `github.com/letsencrypt/pebble/v2/cmd/pebble@v${PEBBLE_VERSION}`;
    const built = await run('go', ['install', source], { env: { ...process.env, GOBIN: folder } });
    if (built.code === 127) throw new Skip('Go is not installed, and Pebble is not there');
    if (built.code !== 0) throw new Skip(`Pebble cannot be built here: ${built.output.trim().split('\n').at(-1)}`);
    return path;
  })();
  return building;
}

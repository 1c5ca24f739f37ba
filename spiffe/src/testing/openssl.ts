import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Whether the openssl command is there; says so once if not, so that skipped oracles are seen. */
export const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
if (!hasOpenssl) console.info('openssl is not installed: its oracle tests are skipped');

/** What one openssl command prints; `@name` stands for the path of a file. Fails the test if the command fails. */
export function openssl(args: readonly string[], files: Readonly<Record<string, string>> = {}): string {
  const directory = mkdtempSync(join(tmpdir(), 'openssl-'));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    const withPaths = args.map((argument) => argument.replace(/^@/, `${directory}/`));
    const { status, stdout, stderr } = spawnSync('openssl', withPaths, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

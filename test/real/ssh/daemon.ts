import { mkdir, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../../cli/src/dev/free-port.ts';
import { Process, run } from '../../stack/process.ts';
import { programPath } from '../debian-packages.ts';
import { type HostFiles, lineOf } from './host-keys.ts';

/** The name by which clients know the host. */
export const HOST = 'node-1.example.org';
/** Where a sshd of root wants an empty folder. */
const PRIVILEGE_SEPARATION = '/run/sshd';

/** Makes that folder if it is not there; returns what takes it away again. */
export async function privilegeSeparation(): Promise<() => Promise<void>> {
  if (process.getuid?.() !== 0) return async () => undefined;
  const made = await mkdir(PRIVILEGE_SEPARATION, { recursive: true, mode: 0o755 });
  return async () => (made === undefined ? undefined : await rmdir(PRIVILEGE_SEPARATION));
}

/** A real sshd with this host key and certificate, for as long as `during` takes. */
export async function withSshd<T>(folder: string, host: HostFiles, during: (port: number) => Promise<T>): Promise<T> {
  const port = await freePort();
  const config = join(folder, `sshd-${port}.conf`);
  const lines = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${host.key}`,
    `HostCertificate ${host.certificate}`,
    'PidFile none',
    'AuthorizedKeysFile none',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'UsePAM no',
  ];
  await writeFile(config, `${lines.join('\n')}\n`);
  const program = (await programPath('sshd')) ?? 'sshd';
  const sshd = new Process('sshd', program, ['-D', '-e', '-f', config]);
  try {
    await sshd.line(/Server listening on/);
    return await during(port);
  } finally {
    await sshd.stop();
  }
}

/** Whether a real ssh client that knows the authority only takes the host for what it says it is. */
export async function sshTrusts(
  folder: string,
  authorityPub: string,
  port: number,
  revoked?: string,
): Promise<boolean> {
  const known = join(folder, 'known_hosts');
  await writeFile(known, `@cert-authority ${HOST} ${await lineOf(authorityPub)}\n`);
  const options = [
    'BatchMode=yes',
    'StrictHostKeyChecking=yes',
    `UserKnownHostsFile=${known}`,
    'GlobalKnownHostsFile=none',
    `HostKeyAlias=${HOST}`,
    'PreferredAuthentications=none',
    'ConnectTimeout=10',
    ...(revoked === undefined ? [] : [`RevokedHostKeys=${revoked}`]),
  ].flatMap((option) => ['-o', option]);
  const { output } = await run('ssh', ['-F', 'none', ...options, '-p', String(port), 'nobody@127.0.0.1', 'true']);
  // Who is asked to prove who he is has believed the host.
  if (/Permission denied/.test(output)) return true;
  if (/Host key verification failed|no matching host key type|revoked/i.test(output)) return false;
  throw new Error(`ssh said neither yes nor no: ${output}`);
}

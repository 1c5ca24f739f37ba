// In a pid namespace of its own: a process connects, is attested, ends, and another one gets its number. Prints what each
// attestation of the first one said. Needs root.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { peerCredentials } from '@steeple/daemon/listen';
import { UnixAttestor } from '../unix.ts';

const attestor = new UnixAttestor({ discover_workload_path: true, workload_size_limit: -1, monotonic: () => 0 });
const { signal } = new AbortController();
const folder = mkdtempSync(join(tmpdir(), 'steeple-recycled-'));
const server = createServer().listen(join(folder, 's'));
await once(server, 'listening');

const script = `require('node:net').connect(${JSON.stringify(join(folder, 's'))})`;
const first = spawn(process.execPath, ['-e', script], { stdio: 'ignore' });
const [socket] = (await once(server, 'connection')) as [Socket];
const peer = peerCredentials(socket);
const answers: unknown[] = [await said()];
first.kill('SIGKILL');
await once(first, 'exit');
const pid = first.pid ?? 0;
let second = spawn('sleep', ['100'], { stdio: 'ignore' });
for (let attempt = 0; attempt < 100 && second.pid !== pid; attempt++) {
  second.kill('SIGKILL');
  await once(second, 'exit');
  writeFileSync('/proc/sys/kernel/ns_last_pid', String(pid - 1));
  second = spawn('sleep', ['100'], { stdio: 'ignore' });
}
answers.push(second.pid === pid ? 'recycled' : 'not recycled', await said());
process.stdout.write(JSON.stringify(answers));
second.kill('SIGKILL');
peer.close();
socket.destroy();
server.close();
rmSync(folder, { recursive: true });

async function said(): Promise<string> {
  return await attestor.attest(peer, signal).then(
    (selectors) => selectors.map(({ value }) => value).join(' '),
    (error: unknown) => (error as { code?: string }).code ?? String(error),
  );
}

// Whom an agent takes its callers for: processes of two users, and a connection that outlives its opener. Needs root.
import { readdirSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { NOBODY, noOtherUser } from '../stack/another-user.ts';
import { Process } from '../stack/process.ts';
import { createEntry, messageThat, reader, STREAM, type StackWorld, stackWorld } from './stack-world.ts';

const isRoot = process.getuid?.() === 0;
const NEEDS_ROOT = 'needs root, to be two users';
const dir = await mkdtemp('/tmp/st-callers-');
await chmod(dir, 0o755);
const socket = join(dir, 'api.sock');
const world: StackWorld = stackWorld({ workloadSocket: socket });
afterAll(() => rm(dir, { recursive: true, force: true }));
const script = (name: string) => new URL(`./callers/${name}.ts`, import.meta.url).pathname;

const caller = (uid: number) => new Process('caller', process.execPath, [script('call'), socket], { uid, gid: uid });

async function answerTo(process_: Process): Promise<string> {
  const [answer] = await process_.line(/^(served|status|call lost|connection lost).*$/m);
  return answer;
}

beforeAll(async () => {
  await createEntry(world, { path: '/root', selectors: ['unix:uid:0'] });
  await createEntry(world, { path: '/nobody', selectors: [`unix:uid:${NOBODY}`] });
  const stream = reader(world.workload.fetchX509SVID({}, STREAM));
  await messageThat(stream, ({ svids }) => svids.length > 0);
  await stream.return?.();
});

it('[WEP-15] [WEP-16] knows a plain process by its user, without its help', async ({ skip }) => {
  skip(noOtherUser !== undefined, noOtherUser);
  expect(await answerTo(caller(0))).toBe('served spiffe://a.test/root');
  expect(await answerTo(caller(NOBODY))).toBe('served spiffe://a.test/nobody');
  expect(await answerTo(caller(12_345))).toBe('status 7');
});

it('[WAPI-05] gives the heir of a connection nothing once its opener is gone', async ({ skip }) => {
  skip(noOtherUser !== undefined, noOtherUser);
  const open = (manner: 'leave' | 'stay') =>
    new Process('opener', process.execPath, [script('open-and-leave'), socket, String(NOBODY), manner]);
  expect(await answerTo(open('leave'))).not.toContain('served');
  // While the opener lives, the kernel knows the connection as its own; so it is its end that makes the difference.
  const staying = open('stay');
  expect(await answerTo(staying)).toBe('served spiffe://a.test/root');
  await staying.stop();
});

it('[WAPI-H2] lets go of the streams of callers that are gone', async ({ skip }) => {
  skip(!isRoot, NEEDS_ROOT);
  const open = () => readdirSync(`/proc/${world.stack.agent.child.pid}/fd`).length;
  const before = open();
  const callers = Array.from({ length: 4 }, () => caller(0));
  for (const one of callers) expect(await answerTo(one)).toContain('served');
  await Promise.all(callers.map(({ ended }) => ended));
  while (open() > before) await new Promise((resolve) => setTimeout(resolve, 50));
});

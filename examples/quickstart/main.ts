// `npm start`: a whole trust domain on this machine. Two services find each other over mTLS, their identities rotate while
// they talk, and a third process is refused. Ends with 0 only if each of these was really observed.
import { existsSync } from 'node:fs';
import { copyFile, link, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Process } from '../../test/stack/process.ts';
import { Stack } from '../../test/stack/stack.ts';

const keep = process.argv.includes('--keep');
const here = new URL('.', import.meta.url).pathname;
const ttl = '8s';
const started = Date.now();
const say = (text: string): void => console.log(text);
const step = (text: string): void => say(`${((Date.now() - started) / 1000).toFixed(1).padStart(5)} s  ${text}`);

function ensure(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`expected: ${what}`);
}

/** A program of its own name: the same Node under another path, so that the path tells the services apart. */
async function program(stack: Stack, name: string): Promise<string> {
  const path = join(stack.dir, 'bin', name);
  await mkdir(join(stack.dir, 'bin'), { recursive: true });
  if (!existsSync(path)) await link(process.execPath, path).catch(() => copyFile(process.execPath, path));
  return path;
}

async function service(stack: Stack, name: string, ...args: string[]): Promise<Process> {
  const env = { ...process.env, SPIFFE_ENDPOINT_SOCKET: `unix://${stack.workloadSocket}` };
  const flags = ['--disable-warning=ExperimentalWarning', join(here, `${name}.ts`)];
  return new Process(name, await program(stack, name), [...flags, ...args], { env });
}

async function register(stack: Stack, name: string): Promise<void> {
  const path = await program(stack, name);
  const selectors = [`unix:uid:${process.getuid?.() ?? 0}`, `unix:path:${path}`];
  await stack.createEntry({ id: `spiffe://example.org/${name}`, selectors, flags: ['--x509-svid-ttl', ttl] });
  step(`registered spiffe://example.org/${name} for the program ${path}`);
}

/** The serial numbers of the SVIDs that a service has held. */
const serials = (service: Process): Set<string> =>
  new Set([...service.output.matchAll(/^svid \S+ (\S+)$/gm)].map(([, serial]) => serial ?? ''));

async function show(stack: Stack): Promise<void> {
  await register(stack, 'orders');
  await register(stack, 'billing');

  const orders = await service(stack, 'orders');
  const [, port = ''] = await orders.line(/^listening on (\d+)$/m);
  step(`orders has its SVID and listens on port ${port}`);
  const billing = await service(stack, 'billing', port);
  const [, answer] = await billing.line(/^call (.*)$/m);
  ensure(answer === '200 hello spiffe://example.org/billing', 'orders greets billing by its SPIFFE ID');
  step(`billing calls orders over mTLS: ${answer}`);

  step(`SVIDs live ${ttl} for the show; waiting until both have rotated twice while calls go on…`);
  const end = Date.now() + 40_000;
  while (serials(orders).size < 3 || serials(billing).size < 3) {
    ensure(Date.now() < end && orders.running && billing.running, 'both services rotate twice within 40 s');
    await new Promise((done) => setTimeout(done, 100));
  }
  await billing.line(/^(call|failed)/m, 5, billing.output.length);
  const calls = billing.output.match(/^call 200 /gm)?.length ?? 0;
  const failed = billing.output.match(/^failed.*$/gm) ?? [];
  ensure(failed.length === 0, `no call fails, but: ${failed[0]}`);
  step(
    `rotated: orders held ${serials(orders).size} SVIDs, billing ${serials(billing).size}; ${calls} calls, none failed`,
  );

  const intruder = await service(stack, 'intruder');
  await intruder.ended;
  ensure(/^refused: .*no identity issued/m.test(intruder.output), `the intruder is refused, but: ${intruder.output}`);
  step(`an unregistered program asks the same socket: ${intruder.output.trim()}`);

  if (keep) {
    say(nextSteps(stack));
    say('Staying up until Ctrl+C.');
    await new Promise((done) => process.once('SIGINT', done).once('SIGTERM', done));
  }
  await billing.stop();
  await orders.stop();
}

const nextSteps = (stack: Stack): string => `
Try, in another terminal:
  export STEEPLE_SERVER_SOCKET=${stack.adminSocket} SPIFFE_ENDPOINT_SOCKET=unix://${stack.workloadSocket}
  npm run -s steeple -- entry list
  npm run -s steeple -- entry create --spiffe-id spiffe://example.org/me --selector unix:uid:$(id -u)
  npm run -s steeple -- api fetch x509`;

say('Steeple: a trust domain of your own, example.org.');
const stack = await Stack.start({ agent: { log_level: 'WARN' }, server: { log_level: 'WARN' } });
try {
  step('server and agent are up, the agent has joined with a token');
  await show(stack);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.error(`server:\n${stack.server.tail()}\nagent:\n${stack.agent.tail()}`);
  process.exitCode = 1;
} finally {
  await stack.stop();
}
if (process.exitCode !== 1) {
  step('done; everything is stopped and removed');
  if (!keep)
    say(
      '\nNext: `npm start -- --keep` stays up; `npm run -s steeple -- dev` is a trust domain for your own programs; see README.md.',
    );
}

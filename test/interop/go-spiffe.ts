// The example programs of go-spiffe, unchanged. They have their addresses and SPIFFE IDs built in.
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Process, run } from '../stack/process.ts';
import type { Stack } from '../stack/stack.ts';
import { ensure, type StackCase } from './case.ts';
import { goExample } from './peers/clients.ts';

/** What the examples dial. */
export const exampleSocket = '/tmp/agent.sock';

async function listening(port: number, server: Process): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (!server.running) throw new Error(`the server ended:\n${server.tail()}`);
    const open = await new Promise<boolean>((done) => {
      const probe = connect(port, 'localhost', () => done(true));
      probe.on('error', () => done(false)).on('connect', () => probe.destroy());
    });
    if (open) return;
    await sleep(100);
  }
  throw new Error(`nobody listens on port ${port}:\n${server.tail()}`);
}

const registered = new Set<string>();

async function register(stack: Stack, id: string, path: string, ...flags: string[]): Promise<void> {
  if (registered.has(path)) return;
  registered.add(path);
  await stack.createEntry({ id: `spiffe://example.org/${id}`, selectors: [`unix:path:${path}`], flags });
}

/** Server and client of one example, each with its own SVID. */
async function pair(stack: Stack, name: string, port: number, expected: RegExp, ...args: string[]): Promise<void> {
  const [serverPath, clientPath] = [await goExample(`${name}/server`), await goExample(`${name}/client`)];
  await register(stack, 'server', serverPath);
  await register(stack, 'client', clientPath);
  const server = new Process(`${name}/server`, serverPath, []);
  try {
    await listening(port, server);
    const client = await run(clientPath, args);
    ensure(client.code === 0, `${name}/client exits with 0, not ${client.code}: ${client.output}`);
    ensure(expected.test(client.output), `${name}/client prints ${expected}, not: ${client.output}`);
  } finally {
    await server.stop('SIGKILL');
  }
}

export const goSpiffeCases: readonly StackCase[] = [
  {
    name: 'go-spiffe example spiffe-tls, server and client',
    run: (stack) => pair(stack, 'spiffe-tls', 55_555, /Hello client/),
  },
  {
    name: 'go-spiffe example spiffe-http, server and client',
    run: (stack) => pair(stack, 'spiffe-http', 8443, /Success/),
  },
  {
    name: 'go-spiffe example spiffe-jwt, server and client',
    run: (stack) => pair(stack, 'spiffe-jwt', 8443, /Success/),
  },
  {
    name: 'go-spiffe example spiffe-jwt refuses a token for another audience',
    run: (stack) => pair(stack, 'spiffe-jwt', 8443, /Unauthorized/, 'somebody-else'),
  },
  {
    name: 'go-spiffe example spiffe-watcher sees SVIDs, JWT bundles and two rotations',
    run: async (stack) => {
      const path = await goExample('spiffe-watcher');
      await register(stack, 'watcher', path, '--x509-svid-ttl', '8s');
      const watcher = new Process('spiffe-watcher', path, []);
      try {
        await watcher.line(/jwt bundle updated "example\.org"/);
        await watcher.line(/(SVID updated for "spiffe:\/\/example\.org\/watcher"[\s\S]*){3}/, 40);
      } finally {
        await watcher.stop('SIGKILL');
      }
    },
  },
];

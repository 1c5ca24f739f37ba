// A real server in this process for the tests of `steeple apply`.
import { writeFile } from 'node:fs/promises';
import { configOf } from '@steeple/daemon/config';
import { createServer, parseServerConfig, type Server } from '@steeple/server';
import { MemoryLogger, type TempDir, tempDir } from '@steeple/test-kit';
import { afterEach, beforeEach, expect } from 'vitest';
import { main } from '../main.ts';

let server: Server;

/** Of the test that runs, and of the command that ran last. */
export const now = {
  dir: undefined as unknown as TempDir,
  out: [] as string[],
  err: [] as string[],
  signal: AbortSignal.abort(),
};

export const steeple = async (...args: string[]): Promise<number> => {
  now.out = [];
  now.err = [];
  return main([...args, '--socket', server.addresses.socketPath], {
    env: {},
    signal: now.signal,
    colour: false,
    uid: 7,
    userName: 'someone',
    out: (line) => now.out.push(line),
    err: (line) => now.err.push(line),
    now: () => Date.now() / 1000,
  });
};

interface Listed {
  readonly id: string;
  readonly spiffe_id: { readonly path: string };
  readonly revision_number: string;
  readonly x509_svid_ttl: number;
}
export const entries = async (): Promise<Listed[]> => {
  expect(await steeple('entry', 'list', '-o', 'json')).toBe(0);
  return (JSON.parse(now.out.join('\n')) as { entries: Listed[] }).entries;
};
export const paths = async (): Promise<string[]> => (await entries()).map(({ spiffe_id: { path } }) => path).toSorted();
export const relationships = async (): Promise<string[]> => {
  expect(await steeple('federation', 'list', '-o', 'json')).toBe(0);
  const { federation_relationships: found } = JSON.parse(now.out.join('\n')) as {
    federation_relationships: { trust_domain: string }[];
  };
  return found.map(({ trust_domain: name }) => name);
};

export const object = (kind: string, name: string, spec: object): string =>
  JSON.stringify({ apiVersion: 'spire.spiffe.io/v1alpha1', kind, metadata: { name }, spec });
export const entry = (name: string, more: object = {}): string =>
  object('ClusterStaticEntry', name, {
    spiffeID: `spiffe://example.org/${name}`,
    parentID: 'spiffe://example.org/node',
    selectors: [`unix:user:${name}`],
    ...more,
  });
export const domain = (name: string, more: object = {}): string =>
  object('ClusterFederatedTrustDomain', name, {
    trustDomain: name,
    bundleEndpointURL: `https://${name}/bundle`,
    bundleEndpointProfile: { type: 'https_web' },
    ...more,
  });
export const file = async (...documents: string[]): Promise<string> => {
  const path = now.dir.join('objects.yaml');
  await writeFile(path, documents.join('\n---\n'));
  return path;
};

beforeEach(async () => {
  now.dir = await tempDir();
  now.signal = new AbortController().signal;
  const settings = {
    trust_domain: 'example.org',
    bind_address: '127.0.0.1',
    bind_port: 0,
    socket_path: now.dir.join('s.sock'),
    data_dir: now.dir.join('data'),
  };
  server = createServer(parseServerConfig(configOf({ server: settings })), { logger: new MemoryLogger() });
  await server.start();
});

afterEach(async () => {
  await server?.stop();
  await now.dir?.[Symbol.asyncDispose]();
});

/** Without disturbing what the running command prints. */
export const fetchedCount = async (): Promise<number> => {
  const lines: string[] = [];
  const context = { env: {}, signal: new AbortController().signal, colour: false, uid: 7, userName: 'someone' };
  await main(['entry', 'count', '-o', 'json', '--socket', server.addresses.socketPath], {
    ...context,
    out: (line) => lines.push(line),
    err: () => {},
    now: () => Date.now() / 1000,
  });
  return (JSON.parse(lines.join('\n')) as { count: number }).count;
};

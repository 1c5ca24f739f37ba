import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { bundleV1, localauthorityV1 } from '@steeple/proto/server-api';
import { type TempDir, tempDir } from '@steeple/test-kit';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { TestServer } from './testing/test-server.ts';

/** What was written into the ConfigMap, in its order. */
const written: string[] = [];
const api = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8').on('data', (part: string) => (body += part));
  request.on('end', () => {
    const { data } = JSON.parse(body) as { data: Record<string, string> };
    written.push(data['bundle.crt'] ?? '');
    response.end(JSON.stringify({ metadata: { name: 'spire-bundle' } }));
  });
});
let dir: TempDir;
let server: TestServer;

beforeAll(async () => {
  dir = await tempDir();
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
  const { port } = api.address() as AddressInfo;
  const kubeconfig = join(dir.path, 'kubeconfig');
  const cluster = { name: 'c', cluster: { server: `http://127.0.0.1:${port}` } };
  const context = { name: 'c', context: { cluster: 'c' } };
  await writeFile(kubeconfig, JSON.stringify({ 'current-context': 'c', clusters: [cluster], contexts: [context] }));
  const places = { kube_config_file_path: kubeconfig };
  server = await TestServer.start({}, { Notifier: { k8sbundle: { plugin_data: places } } });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await new Promise((resolve) => api.close(resolve));
  await dir[Symbol.asyncDispose]();
});

it('keeps its bundle published, and publishes a new authority when there is one', async () => {
  const own = async () => (await server.admin(bundleV1.Bundle).getBundle({})).x509Authorities.length;
  const last = () => written.at(-1)?.match(/BEGIN CERTIFICATE/g)?.length ?? 0;
  await vi.waitFor(() => expect(last()).toBe(1));
  await server.admin(localauthorityV1.LocalAuthority).prepareX509Authority({});
  expect(await own()).toBe(2);
  await vi.waitFor(() => expect(last()).toBe(2));
});

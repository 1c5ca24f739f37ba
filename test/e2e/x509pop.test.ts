import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@steeple/test-kit';
import { expect, it } from 'vitest';
import { NodeAuthority } from '../interop/spire/node-certificates.ts';
import { HEADER, Home, Reader, until } from './home.ts';

/** A home whose agent attests by the certificate of its node. */
async function open() {
  const dir = await tempDir();
  const authority = await NodeAuthority.create(dir.path);
  const { certificatePath, keyPath, fingerprint } = await authority.issue();
  const data = { private_key_path: keyPath, certificate_path: certificatePath };
  const home = await Home.open({
    joinToken: false,
    serverBlocks: { plugins: { NodeAttestor: { x509pop: { plugin_data: { ca_bundle_path: authority.path } } } } },
    blocks: { plugins: { NodeAttestor: { x509pop: { plugin_data: data } } } },
    agent: { experimental: { sync_interval: '100ms' } },
  });
  home.agentId = { trustDomain: home.trustDomain.name, path: `/spire/agent/x509pop/${fingerprint}` };
  const attestations = () => home.log.messages('info').filter((message) => message === 'Node attested').length;
  const dataFile = join(home.dir, 'agent', 'agent-data.json');
  return {
    home,
    attestations,
    dataFile,
    async [Symbol.asyncDispose]() {
      await home[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
}

async function served(home: Home, path: string): Promise<void> {
  await home.addEntry({ path });
  using reader = new Reader((options) => home.workload.fetchX509SVID({}, options));
  await reader.find(({ svids }) => svids.some(({ spiffeId }) => spiffeId === home.id(path)));
}

it('a node that was evicted attests again by itself, and its workloads notice nothing', async () => {
  await using node = await open();
  const { home, attestations } = node;
  await served(home, '/before');
  using stream = new Reader((options) => home.workload.fetchX509SVID({}, options));
  await stream.next();
  await home.admin.agent.deleteAgent({ id: home.agentId });
  await until(() => attestations() === 2);
  await home.addEntry({ path: '/after' });
  const message = await stream.find(({ svids }) => svids.length === 2);
  expect(message.svids.map(({ spiffeId }) => spiffeId).sort()).toEqual([home.id('/after'), home.id('/before')]);
});

it('a node that was banned stops, cannot come back, and can once the ban is lifted', async () => {
  await using node = await open();
  const { home } = node;
  await home.ready();
  const ended = home.agent.wait();
  await home.admin.agent.banAgent({ id: home.agentId });
  await expect(ended).rejects.toMatchObject({ reason: 'banned' });
  await expect(home.startAgent()).rejects.toMatchObject({ reason: 'attestation-refused' });
  await home.admin.agent.deleteAgent({ id: home.agentId });
  await home.startAgent();
  await served(home, '/web');
});

it('a node starts with what it kept, and attests again when it kept nothing, or nothing that is good', async () => {
  await using node = await open();
  const { home, attestations, dataFile } = node;
  await served(home, '/web');
  await home.agent.stop();
  await home.startAgent();
  await home.ready();
  expect(attestations()).toBe(1);

  for (const lose of [
    // Everything.
    () => home.forgetAgent(),
    // Its keys.
    () => rm(join(home.dir, 'agent', 'keys.json')),
    // Its SVID.
    async () =>
      writeFile(dataFile, JSON.stringify({ ...(JSON.parse(await readFile(dataFile, 'utf8')) as object), svid: [] })),
  ]) {
    const before = attestations();
    await home.agent.stop();
    await lose();
    await home.startAgent();
    await home.ready();
    expect(attestations()).toBe(before + 1);
  }

  // Its bundle: the one from the configuration takes its place.
  await home.agent.stop();
  const stored = JSON.parse(await readFile(dataFile, 'utf8')) as object;
  await writeFile(dataFile, JSON.stringify({ ...stored, bundle: [] }));
  const before = attestations();
  await home.startAgent();
  await home.ready();
  expect(attestations()).toBe(before);
  const { svids } = await home.workload.fetchJWTSVID({ audience: ['x'] }, { metadata: HEADER });
  expect(svids[0]?.spiffeId).toBe(home.id('/web'));
});

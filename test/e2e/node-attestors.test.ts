// sshpop and http_challenge with our server and agent: the first attestation, and whether there is a second.
import dns from 'node:dns';
import { writeFile } from 'node:fs/promises';
import { tempDir } from '@steeple/test-kit';
import { afterEach, expect, it, vi } from 'vitest';
import { vector } from '../../plugins/src/node-attestor/sshpop/testing/vectors.ts';
import { Home, Reader, until } from './home.ts';

afterEach(() => vi.restoreAllMocks());

async function served(home: Home, path: string): Promise<void> {
  await home.addEntry({ path });
  using reader = new Reader((options) => home.workload.fetchX509SVID({}, options));
  await reader.find(({ svids }) => svids.some(({ spiffeId }) => spiffeId === home.id(path)));
}

it('a node attests by its SSH host certificate, and again after it was evicted', async () => {
  await using dir = await tempDir();
  const files = { host_key_path: dir.join('key'), host_cert_path: dir.join('key-cert.pub') };
  await writeFile(files.host_key_path, vector('ed25519'), { mode: 0o600 });
  await writeFile(files.host_cert_path, vector('ed25519-cert.pub'));
  const data = { cert_authorities: [vector('ca.pub')], canonical_domain: 'example.org' };
  const template = { agent_path_template: 'sshpop/{{ .Hostname }}' };
  await using home = await Home.open({
    joinToken: false,
    serverBlocks: { plugins: { NodeAttestor: { sshpop: { plugin_data: { ...data, ...template } } } } },
    blocks: { plugins: { NodeAttestor: { sshpop: { plugin_data: files } } } },
    agent: { experimental: { sync_interval: '100ms' } },
  });
  home.agentId = { trustDomain: home.trustDomain.name, path: '/spire/agent/sshpop/node-1' };
  await served(home, '/web');
  const attestations = () => home.log.messages('info').filter((message) => message === 'Node attested').length;
  await home.admin.agent.deleteAgent({ id: home.agentId });
  await until(() => attestations() === 2);
  await served(home, '/later');
});

it('a node attests once by its name, until it was evicted', async () => {
  // The name is known on this machine only.
  const lookup = (_name: string, _options: unknown, done: (error: null, addresses: dns.LookupAddress[]) => void) =>
    done(null, [{ address: '127.0.0.1', family: 4 }]);
  vi.spyOn(dns, 'lookup').mockImplementation(lookup as unknown as typeof dns.lookup);
  const server = { allowed_dns_patterns: ['node-[0-9]+\\.test'], allowed_networks: ['127.0.0.0/8'] };
  await using home = await Home.open({
    joinToken: false,
    serverBlocks: { plugins: { NodeAttestor: { http_challenge: { plugin_data: server } } } },
    blocks: { plugins: { NodeAttestor: { http_challenge: { plugin_data: { hostname: 'node-1.test' } } } } },
  });
  home.agentId = { trustDomain: home.trustDomain.name, path: '/spire/agent/http_challenge/node-1.test' };
  await served(home, '/web');
  const agent = await home.admin.agent.getAgent({ id: home.agentId });
  expect(agent.canReattest).toBe(false);
  expect(agent.selectors).toMatchObject([{ type: 'http_challenge', value: 'hostname:node-1.test' }]);

  // Somebody else on the node, or the same agent that lost its data.
  await home.agent.stop();
  await home.forgetAgent();
  await expect(home.startAgent()).rejects.toMatchObject({ reason: 'attestation-refused' });
  expect(home.log.text).toContain('attestation data has already been used to attest an agent');
  await home.admin.agent.deleteAgent({ id: home.agentId });
  await home.startAgent();
  await served(home, '/again');
});

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fingerprintOf, readCertificate } from '../../../plugins/src/node-attestor/sshpop/certificate.ts';
import { blobOf, vector } from '../../../plugins/src/node-attestor/sshpop/testing/vectors.ts';
import { ensure } from '../case.ts';
import { hasX509 } from '../spire/checks.ts';
import { wireId } from '../spire/server-unit.ts';
import type { Site } from '../spire/site.ts';
import type { Suite } from '../spire/suite.ts';
import type { Block } from '../spire/write-hcl.ts';

const self = `unix:uid:${process.getuid?.()}`;

/** Both halves of `sshpop` against each other's, with keys and certificates that ssh-keygen made. */
export const sshpop: Suite = {
  name: 'sshpop',
  run: async (site, pairing) => {
    const trust: Block = { cert_authorities: [vector('ca.pub').trim()] };
    // SPIRE's agent signs with SHA-1 if the key is RSA, which our server takes only when told to.
    const options: Block = pairing.server === 'steeple' ? { accept_sha1_responses: true } : {};
    const server = await site.server(pairing.server, {
      plugins: { NodeAttestor: { sshpop: { ...trust, ...options } } },
    });
    for (const kind of ['ed25519', 'ecdsa256', 'ecdsa521', 'rsa']) {
      const plugins = { NodeAttestor: { sshpop: await hostFiles(site, kind) } };
      const agent = await site.agent(pairing.agent, server, { plugins });
      const id = server.id(`/spire/agent/sshpop/${fingerprintOf(readCertificate(blobOf(`${kind}-cert.pub`)))}`);
      ensure((await server.agentIds()).includes(id), `${id} among ${await server.agentIds()}`);
      await server.createEntry(server.id(`/${kind}`), id, [self]);
      await hasX509(agent, server.id(`/${kind}`));
      await agent.process.stop();
    }

    // Evicted, it comes back; another certificate does not come in.
    const back = await site.idleAgent(pairing.agent, server, {
      plugins: { NodeAttestor: { sshpop: await hostFiles(site, 'ed25519') } },
    });
    const [first = ''] = await server.agentIds();
    await server.api.agent.deleteAgent({ id: wireId(first) }, { deadline: 10 });
    await back.start();
    for (const [name, why] of [
      ['by_other', /authorit/],
      ['expired', /expired/],
      ['future', /not yet valid/],
      ['critical', /critical option/],
      ['no_principal', /principal/],
    ] as const) {
      const files = await hostFiles(site, 'ed25519', name);
      const stranger = await site.idleAgent(pairing.agent, server, { plugins: { NodeAttestor: { sshpop: files } } });
      await stranger.launch();
      await stranger.process.line(why);
      await stranger.process.stop();
    }
    ensure((await server.agentIds()).length === 4, `four agents, not ${await server.agentIds()}`);
  },
};

/** Our server does not take the SHA-1 signature of SPIRE's agent unless told to, and says why. */
export const sshpopSha1: Suite = {
  name: 'sshpop with SHA-1',
  pairings: [{ server: 'steeple', agent: 'spire' }],
  run: async (site, pairing) => {
    const server = await site.server('steeple', {
      plugins: { NodeAttestor: { sshpop: { cert_authorities: [vector('ca.pub').trim()] } } },
    });
    const agent = await site.idleAgent(pairing.agent, server, {
      plugins: { NodeAttestor: { sshpop: await hostFiles(site, 'rsa') } },
    });
    await agent.launch();
    await agent.process.line(/SHA-1, which is not accepted/);
    ensure((await server.agentIds()).length === 0, 'nobody was attested');
  },
};

async function hostFiles(site: Site, key: string, certificate = key): Promise<Block> {
  const folder = site.folder('ssh');
  await mkdir(folder, { recursive: true });
  const [keyPath, certificatePath] = [join(folder, 'key'), join(folder, 'key-cert.pub')];
  await writeFile(keyPath, vector(key), { mode: 0o600 });
  await writeFile(certificatePath, vector(`${certificate}-cert.pub`));
  return { host_key_path: keyPath, host_cert_path: certificatePath };
}

import { copyFile } from 'node:fs/promises';
import { type Case, ensure } from '../../interop/case.ts';
import { eventually, hasX509 } from '../../interop/spire/checks.ts';
import { wireId } from '../../interop/spire/server-unit.ts';
import { HOST, sshTrusts, withSshd } from './daemon.ts';
import { type HostFiles, keygen } from './host-keys.ts';
import type { Place } from './place.ts';

const self = `unix:uid:${process.getuid?.()}`;
const KINDS = [
  ['Ed25519', '-t', 'ed25519'],
  ['ECDSA', '-t', 'ecdsa', '-b', '384'],
  ['RSA', '-t', 'rsa', '-b', '3072'],
] as const;

const pluginsOf = (host: HostFiles) => ({
  NodeAttestor: { sshpop: { host_key_path: host.key, host_cert_path: host.certificate } },
});

/** An agent beside a sshd, with the same host key and certificate, up to a workload's SVID. */
export function agentCases(place: Place): readonly Case[] {
  const { folder, site, server, keys, authority } = place;
  const newAgent = async () => {
    const before = new Set(await server.agentIds());
    return async () => (await server.agentIds()).find((id) => !before.has(id));
  };
  const attested = KINDS.map(([kind, ...words]) => ({
    name: `an agent attests by sshd's ${kind} host key and certificate, a workload has its SVID`,
    run: async () => {
      const host = await keys.certify(authority, await keys.newKey(...words), '-h', '-n', HOST, '-V', '-1m:+1h');
      await withSshd(folder, host, async (port) => {
        ensure(await sshTrusts(folder, authority.pub, port), 'ssh takes the host for what it says');
        const found = await newAgent();
        const agent = await site.agent('steeple', server, { plugins: pluginsOf(host) });
        const id = (await found()) ?? '';
        ensure(/\/spire\/agent\/sshpop\/[\w-]{43}$/.test(id), `a new agent, not ${id}`);
        await server.createEntry(server.id(`/${kind.toLowerCase()}`), id, [self]);
        await hasX509(agent, server.id(`/${kind.toLowerCase()}`));
        await agent.process.stop();
      });
    },
  }));
  return [
    ...attested,
    {
      name: 'an agent that is evicted attests with the certificate that the host has by then',
      run: async () => {
        const key = await keys.newKey('-t', 'ed25519');
        const host = await keys.certify(authority, key, '-h', '-n', HOST);
        const found = await newAgent();
        const agent = await site.agent('steeple', server, { plugins: pluginsOf(host) });
        const first = (await found()) ?? '';
        await copyFile((await keys.certify(authority, key, '-h', '-n', HOST)).certificate, host.certificate);
        await server.api.agent.deleteAgent({ id: wireId(first) }, { deadline: 10 });
        const again = await eventually('the agent is back', async () => (await found()) ?? undefined, 30);
        ensure(again !== first, 'another certificate is another agent');
        await agent.process.stop();
      },
    },
    {
      name: 'an agent does not attest once its key is revoked, with the same list that ssh reads',
      run: async () => {
        const host = await keys.certify(authority, await keys.newKey('-t', 'ed25519'), '-h', '-n', HOST);
        const found = await newAgent();
        const agent = await site.agent('steeple', server, { plugins: pluginsOf(host) });
        const id = (await found()) ?? '';
        await keygen('-k', '-u', '-f', place.revoked, host.pub);
        const trusts = (port: number) => sshTrusts(folder, authority.pub, port, place.revoked);
        ensure(!(await withSshd(folder, host, trusts)), 'ssh does not believe a revoked key');
        await server.api.agent.deleteAgent({ id: wireId(id) }, { deadline: 10 });
        await agent.process.line(/the certificate is not accepted: it is revoked/, 30);
        ensure((await found()) === undefined, 'the agent does not come back');
        await agent.process.stop();
      },
    },
    {
      name: 'an agent says what is wrong with its files before it asks the server',
      run: async () => {
        const [key, stranger] = [await keys.newKey('-t', 'ed25519'), await keys.newKey('-t', 'ed25519')];
        const host = await keys.certify(authority, key, '-h', '-n', HOST);
        const user = await keys.certify(authority, key, '-n', 'root');
        const locked = await keys.newKey('-t', 'ed25519');
        await keygen('-p', '-P', '', '-N', 'of-the-key', '-f', locked.key);
        for (const [files, why] of [
          [{ ...host, key: stranger.key }, /is not a certificate of the key/],
          [user, /is a certificate of a user/],
          [{ ...host, key: locked.key }, /is protected by a passphrase/],
          [{ ...host, certificate: host.pub }, /holds no OpenSSH certificate/],
        ] as const) {
          const agent = await site.idleAgent('steeple', server, { plugins: pluginsOf(files) });
          const started = await agent.launch();
          await started.line(why);
          await started.ended;
        }
      },
    },
  ];
}

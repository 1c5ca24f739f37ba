import { toPem } from '@steeple/client';
import { freePort } from '../../../cli/src/dev/free-port.ts';
import { ensure } from '../case.ts';
import { eventually, hasX509 } from '../spire/checks.ts';
import type { Suite } from '../spire/suite.ts';
import { through } from './envoy.ts';
import { EnvoyUnit } from './envoy-unit.ts';
import { BY_PATH, OURS_AND_CONTROL } from './ours-and-control.ts';
import { presenting, Stranger, showing } from './stranger.ts';
import { visit } from './visitor.ts';

/**
 * A proxy that trusts two domains by `ALL`: each by its own roots only, as they are at that moment, in both directions.
 * With the validator switched off by its node it is given plain roots of its own domain.
 */
export const envoyFederation: Suite = {
  name: 'envoy with a federated domain',
  pairings: OURS_AND_CONTROL,
  run: async (site, pairing) => {
    const unit = await EnvoyUnit.install(site);
    const plain = await EnvoyUnit.install(site);
    const server = await site.server(pairing.server);
    const agent = await site.agent(pairing.agent, server, { plugins: BY_PATH });
    const [other, unknown] = [new Stranger('other.test'), new Stranger('unknown.test')];
    await other.introduce(server);
    const agentSocket = agent.socket;
    for (const [path, one] of [['/proxy', unit] as const, ['/plain', plain] as const]) {
      const federatesWith = [other.name];
      await server.createEntry(server.id(path), agent.id, [`unix:path:${one.path}`], { federatesWith });
    }
    await server.createEntry(server.id('/client'), agent.id, [`unix:path:${process.execPath}`]);

    const secrets = other.certify('spiffe://other.test/web');
    const [port, out, to] = [await freePort(), await freePort(), await showing(site, secrets)];
    await unit.start({
      id: 'proxy',
      agentSocket,
      serves: { port, certificate: 'default', validation: 'ALL' },
      forwards: { port: out, to, certificate: server.id('/proxy'), validation: 'spiffe://other.test' },
    });
    const knock = (who: Stranger, id: string) => visit(port, presenting(who.certify(id)));
    const refused = async (what: string, who: Stranger, id: string): Promise<void> => {
      const answer = await knock(who, id).catch((error: unknown) => error);
      ensure(answer instanceof Error, `${what} is refused`);
    };
    await eventually(
      'a federated client is served',
      async () => (await knock(other, 'spiffe://other.test/web')).status === 200,
    );
    const { svid } = await hasX509(agent, server.id('/client'));
    const own = {
      cert: svid.chain.map(({ raw }) => toPem('CERTIFICATE', raw)).join(''),
      key: svid.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    };
    ensure((await visit(port, presenting(own))).status === 200, 'and one of the own domain');
    await refused('a name of ours by the authority of another domain', other, server.id('/client'));
    await refused('a name of a domain nobody knows', other, 'spiffe://third.test/web');
    await refused('who is not federated', unknown, 'spiffe://unknown.test/web');
    await refused('the right name by the wrong authority', unknown, 'spiffe://other.test/web');
    ensure((await through(out)).status === 200, 'the proxy believes a federated server');

    const old = other.certify('spiffe://other.test/web');
    other.replaceRoot();
    await other.introduce(server);
    await eventually(
      'the new root is believed',
      async () => (await knock(other, 'spiffe://other.test/web')).status === 200,
    );
    const stale = await visit(port, presenting(old)).catch((error: unknown) => error);
    ensure(stale instanceof Error, 'the old root is no longer believed');
    ensure((await through(out)).status === 503, 'nor by the side that forwards');

    const [plainPort] = [await freePort()];
    await plain.start({
      id: 'plain',
      agentSocket,
      metadata: { disable_spiffe_cert_validation: true },
      serves: { port: plainPort, certificate: 'default', validation: 'ROOTCA' },
    });
    ensure(((await plain.roots()).get('')?.length ?? 0) === 1, 'plain roots for a proxy that asks for them');
    for (const each of [unit, plain]) ensure((await each.counted('.update_rejected')) === 0, 'no secret was rejected');
  },
};

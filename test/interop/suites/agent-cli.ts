import { Process, run } from '../../stack/process.ts';
import { ensure } from '../case.ts';
import { spireProgram } from '../peers/spire.ts';
import { eventually, hasX509 } from '../spire/checks.ts';
import type { Suite } from '../spire/suite.ts';

const self = `unix:uid:${process.getuid?.()}`;

/** SPIRE's `agent-cli`: its command line against the agent, in good and in bad condition. */
export const agentCli: Suite = {
  name: 'agent-cli',
  run: async (site, pairing) => {
    const server = await site.server(pairing.server);
    const agent = await site.agent(pairing.agent, server, { admin: true });
    const program = await spireProgram('spire-agent');
    const cli = (...args: string[]) => run(program, args);
    const socket = ['-socketPath', agent.socket];

    const healthy = await cli('healthcheck', ...socket);
    ensure(healthy.code === 0 && /Agent is healthy/.test(healthy.output), `healthcheck: ${healthy.output}`);
    ensure((await cli('healthcheck', '-socketPath', `${agent.socket}.not`)).code !== 0, 'nobody is not healthy');
    const valid = await cli('validate', '-config', agent.config);
    ensure(/SPIRE agent configuration file is valid/.test(valid.output), `validate: ${valid.output}`);

    const watching = site.watch(new Process('api-watch', program, ['api', 'watch', ...socket]));
    await eventually('the watcher waits', async () => watching.running || undefined);
    await server.createEntry(server.id('/workload'), agent.id, [self], { x509SvidTtl: 8 });
    await watching.line(/(Received 1 svid after[\s\S]*){4}/, 40);
    ensure(watching.output.includes(server.id('/workload')), 'the watcher names the identity');
    await watching.stop('SIGKILL');

    const fetched = await cli('api', 'fetch', 'jwt', '-audience', 'somebody', '-output', 'json', ...socket);
    const token = (JSON.parse(fetched.output) as [{ svids: [{ svid: string }] }])[0].svids[0].svid;
    const judge = (audience: string) => cli('api', 'validate', 'jwt', '-audience', audience, '-svid', token, ...socket);
    const good = await judge('somebody');
    ensure(good.code === 0 && /SVID is valid/.test(good.output), `validate jwt: ${good.output}`);
    ensure((await judge('another')).code !== 0, 'a token for somebody else is not valid');

    const admin = ['-socketPath', agent.adminSocket];
    const level = async () =>
      (JSON.parse((await cli('logger', 'get', '-output', 'json', ...admin)).output) as { current_level: string })
        .current_level;
    ensure((await level()) === 'DEBUG', `the configured level: ${await level()}`);
    await cli('logger', 'set', '-level', 'warn', ...admin);
    ensure((await level()) === 'WARN', 'the level that was set');
    await server.createEntry(server.id('/quiet'), agent.id, [self]);
    const silentFrom = agent.process.output.length;
    await hasX509(agent, server.id('/quiet'));
    ensure(!/level=(debug|info)/.test(agent.process.output.slice(silentFrom)), 'nothing below warnings is written');
    await cli('logger', 'reset', ...admin);
    ensure((await level()) === 'DEBUG', 'the configured level again');
  },
};

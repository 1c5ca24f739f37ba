import { hasX509 } from '../spire/checks.ts';
import { agent, type Step } from './step.ts';

/** A workload's own commands, and those of the agent's administrator. */
export const agentSteps: readonly Step[] = [
  agent('api fetch'),
  agent('api fetch jwt -audience a'),
  async ({ server, agent: unit }) => {
    const id = server.id('/workload');
    await server.createEntry(id, unit.id, [`unix:uid:${process.getuid?.()}`], { hint: 'mine' });
    await hasX509(unit, id);
  },
  agent('api fetch'),
  agent('api fetch x509'),
  agent('api fetch x509 -output json'),
  agent('api fetch x509 -silent'),
  agent('api fetch x509 -write {dir} -timeout 10s'),
  agent('api fetch -silent -write {dir}'),
  agent('api fetch -output json -write {dir}/missing -silent -timeout 3s'),
  agent('api fetch -timeout soon'),
  agent('api fetch -socketPath {dir}/nobody.sock', { ownSocket: true }),
  agent('api fetch -instance here', { ownSocket: true }),
  agent('api fetch -instance here -silent', {
    ownSocket: true,
    env: { SPIRE_AGENT_PUBLIC_SOCKET_TEMPLATE: '{dir}/%i.sock' },
  }),
  agent('api fetch x509 -silent', { ownSocket: true, env: { SPIRE_AGENT_PUBLIC_SOCKET: '{workloadSocket}' } }),
  agent('api fetch jwt -audience a,b', { keep: { jwt: /\):\n\t(\S+)\n/ } }),
  agent('api fetch jwt -audience a -spiffeID spiffe://domain.test/workload -output json -timeout 4s'),
  agent('api fetch jwt -audience a -format json'),
  agent('api fetch jwt -audience a -spiffeID spiffe://domain.test/other'),
  agent('api fetch jwt -audience a -spiffeID nonsense', { compare: 'outcome' }),
  agent('api fetch jwt'),
  agent('api fetch jwt -audience a -socketPath {dir}/nobody.sock', { ownSocket: true }),
  agent('api validate jwt -audience a -svid {jwt}'),
  agent('api validate jwt -audience b -svid {jwt} -output json -timeout 4s'),
  agent('api validate jwt -audience c -svid {jwt}', { compare: 'outcome' }),
  agent('api validate jwt -audience a -svid nonsense', { compare: 'outcome' }),
  agent('api validate jwt -audience a'),
  agent('api validate jwt -svid {jwt}'),
  agent('api watch -instance here', { ownSocket: true }),
  agent('api watch -unknown'),
  agent('healthcheck -shallow -verbose'),
  agent('healthcheck -verbose -socketPath {dir}/nobody.sock', { ownSocket: true }),
  agent('healthcheck -instance here', { ownSocket: true }),
  agent('logger get'),
  agent('logger set -level trace'),
  agent('logger set -level warn -output json'),
  agent('logger set'),
  agent('logger get -output json'),
  agent('logger reset'),
  agent('logger reset -output json'),
  agent('logger get -socketPath {dir}/nobody.sock', { ownSocket: true }),
  agent('debug getinfo'),
  agent('debug getinfo -output json'),
  agent('debug getinfo -unknown'),
];

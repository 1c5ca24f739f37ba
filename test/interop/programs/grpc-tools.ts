import { run } from '../../stack/process.ts';
import { ensure } from '../case.ts';
import { grpcHealthProbe, grpcurl } from '../peers/third-party.ts';
import { hasX509 } from '../spire/checks.ts';
import type { Suite } from '../spire/suite.ts';
import { OURS_AND_CONTROL } from './ours-and-control.ts';

const SERVICES = [
  'SpiffeWorkloadAPI',
  'envoy.service.secret.v3.SecretDiscoveryService',
  'grpc.health.v1.Health',
  'grpc.reflection.v1.ServerReflection',
  'grpc.reflection.v1alpha.ServerReflection',
];
const HEADER = ['-H', 'workload.spiffe.io: true'];

interface Tls {
  readonly resources: readonly { readonly '@type': string; readonly name: string }[];
}

/** The tools that people reach for first: grpcurl without a proto file, and the health probe, on the sockets of both. */
export const grpcTools: Suite = {
  name: 'grpcurl and grpc-health-probe',
  pairings: OURS_AND_CONTROL,
  run: async (site, pairing) => {
    const [curl, probe] = [await grpcurl(), await grpcHealthProbe()];
    const server = await site.server(pairing.server);
    const agent = await site.agent(pairing.agent, server, { admin: true });
    const id = server.id('/somebody');
    await server.createEntry(id, agent.id, [`unix:uid:${process.getuid?.()}`]);
    await hasX509(agent, id);
    const socket = `unix://${agent.socket}`;
    const grpc = (...args: readonly string[]) => run(curl, ['-plaintext', '-max-time', '10', ...args]);
    const said = async (pattern: RegExp | string, ...args: readonly string[]): Promise<string> => {
      const { output } = await grpc(...args);
      const fits = typeof pattern === 'string' ? output.trim() === pattern : pattern.test(output);
      // The beginning only: further on there may be a key.
      ensure(fits, `grpcurl ${args.join(' ')} says ${pattern}, not: ${output.slice(0, 120)}`);
      return output;
    };

    await said(SERVICES.join('\n'), socket, 'list');
    await said(
      /rpc FetchX509SVID \( \.X509SVIDRequest \) returns \( stream \.X509SVIDResponse \)/,
      socket,
      'describe',
      'SpiffeWorkloadAPI.FetchX509SVID',
    );
    await said(/bytes x509_svid = 2;/, socket, 'describe', '.X509SVID');
    await said(
      /Code: InvalidArgument\n +Message: security header missing from request/,
      socket,
      'SpiffeWorkloadAPI/FetchX509SVID',
    );
    const audience = ['-d', '{"audience":["a"]}'];
    await said(new RegExp(`"spiffeId": "${id}"`), ...HEADER, ...audience, socket, 'SpiffeWorkloadAPI/FetchJWTSVID');
    await said(/"x509Svid": "/, ...HEADER, '-max-time', '2', socket, 'SpiffeWorkloadAPI/FetchX509SVID');
    const secrets = await said(
      /./,
      '-d',
      '{"resource_names":["default","ROOTCA"]}',
      socket,
      `${SERVICES[1]}/FetchSecrets`,
    );
    const { resources } = JSON.parse(secrets) as Tls;
    ensure(
      resources
        .map(({ name }) => name)
        .sort()
        .join() === 'ROOTCA,default',
      `both secrets, read by reflection: ${resources.map(({ name }) => name)}`,
    );
    await said(/"status": "SERVING"/, socket, `${SERVICES[2]}/Check`);
    const admins = [`unix://${server.adminSocket}`, `unix://${agent.adminSocket}`];
    for (const admin of admins) await said(/server does not support the reflection API/, admin, 'list');

    const health = (address: string, ...args: readonly string[]) => run(probe, ['-addr', address, ...args]);
    for (const address of [socket, `unix://${server.adminSocket}`]) {
      const { code, output } = await health(address);
      ensure(code === 0, `the probe finds ${address} well: ${output}`);
      ensure((await health(address, '-service', 'nobody')).code !== 0, 'and not a service that is not there');
    }
    await agent.process.stop();
    ensure((await health(socket, '-connect-timeout', '1s')).code === 2, 'the probe finds nobody');
  },
};

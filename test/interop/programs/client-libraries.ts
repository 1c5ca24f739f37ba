import { realpath } from 'node:fs/promises';
import { TestTrustDomain } from '@steeple/test-kit';
import { Process } from '../../stack/process.ts';
import { ensure } from '../case.ts';
import { type Command, goWorkload, javaWorkload, pythonWorkload, rustWorkload } from '../peers/libraries.ts';
import type { Suite } from '../spire/suite.ts';
import { BY_PATH, OURS_AND_CONTROL } from './ours-and-control.ts';
import { Stranger, showing } from './stranger.ts';

const OTHER = 'other.test';

/**
 * A workload on another language's library: its identity through a rotation, tokens fetched and judged, a federated
 * domain's roots and keys and their replacement; Go and Java meet three servers over TLS, of which two are not what they say.
 */
function library(name: string, command: () => Promise<Command>): Suite {
  return {
    name: `client library ${name}`,
    pairings: OURS_AND_CONTROL,
    run: async (site, pairing) => {
      const { path, args } = await command();
      const server = await site.server(pairing.server);
      const agent = await site.agent(pairing.agent, server, { plugins: BY_PATH });
      const id = server.id('/workload');
      const [other, unknown] = [new Stranger(OTHER), new Stranger('unknown.test')];
      const tokens = await TestTrustDomain.create(OTHER);
      const keys = tokens.bundle.jwtAuthorities;
      await other.introduce(server, keys);
      const selectors = [`unix:path:${await realpath(path)}`];
      await server.createEntry(id, agent.id, selectors, { federatesWith: [OTHER], x509SvidTtl: 10 });
      const shown = [
        other.certify(`spiffe://${OTHER}/web`),
        unknown.certify(`spiffe://${OTHER}/web`),
        other.certify(server.id('/web')),
      ];
      const ports = await Promise.all(shown.map((secrets) => showing(site, secrets)));
      const { token } = await tokens.jwtSvid('/caller', [id]);
      const addresses = ports.map((port) => `127.0.0.1:${port}`);
      const told = [`unix://${agent.socket}`, id, OTHER, token, ...addresses];

      const workload = site.watch(new Process(`workload-${name}`, path, [...args, ...told]));
      await workload.line(/^ready$/m, 90);
      other.replaceRoot();
      await other.introduce(server, keys);
      await workload.line(/^done$/m, 60);
      const code = await workload.ended;
      ensure(code === 0, `the program ends well, not with ${code}: ${workload.tail(5)}`);
    },
  };
}

export const clientLibraries: readonly Suite[] = [
  library('go-spiffe 2.8.1', goWorkload),
  library('spiffe 0.19.0 (Rust)', rustWorkload),
  library('java-spiffe 0.8.17', javaWorkload),
  library('spiffe 0.3.2 (Python)', pythonWorkload),
];

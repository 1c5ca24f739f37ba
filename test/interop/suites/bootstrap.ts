import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatBundleDocument, toPem } from '@steeple/client';
import { readBundle } from '../../../agent/src/app/server-wire.ts';
import { ensure } from '../case.ts';
import { hasX509 } from '../spire/checks.ts';
import type { Suite } from '../spire/suite.ts';
import { UpstreamRoot } from '../spire/upstream-root.ts';

const self = `unix:uid:${process.getuid?.()}`;

/** The first contact: an agent believes the server by a bundle in either format, or blindly, and never by a wrong bundle. */
export const bootstrap: Suite = {
  name: 'bootstrap',
  run: async (site, pairing) => {
    const server = await site.server(pairing.server);
    const folder = server.dir;
    const bundle = readBundle(await server.api.bundle.getBundle({}, { deadline: 10 }));
    const document = join(folder, 'bundle.json');
    await writeFile(document, formatBundleDocument(bundle));
    for (const settings of [
      { trust_bundle_path: document, trust_bundle_format: 'spiffe' },
      { insecure_bootstrap: true },
    ]) {
      const agent = await site.idleAgent(pairing.agent, server);
      await agent.writeConfig(settings, 'insecure_bootstrap' in settings ? ['trust_bundle_path'] : []);
      await agent.start();
      await server.createEntry(server.id('/workload'), agent.id, [self]);
      await hasX509(agent, server.id('/workload'));
    }

    const foreign = await UpstreamRoot.create(site.folder('foreign'), 'foreign');
    const wrong = join(folder, 'wrong.pem');
    await writeFile(wrong, toPem('CERTIFICATE', foreign.root.der));
    const deceived = await site.idleAgent(pairing.agent, server);
    await deceived.writeConfig({ trust_bundle_path: wrong });
    await deceived.launch();
    await deceived.process.line(/not trusted|could not verify/, 40);
    ensure(!(await server.agentIds()).includes(deceived.id), 'it did not attest with a server that it cannot verify');
  },
};

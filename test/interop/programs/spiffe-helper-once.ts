import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseCertificatesPem } from '@steeple/client';
import { run } from '../../stack/process.ts';
import { ensure } from '../case.ts';
import { spiffeHelper } from '../peers/third-party.ts';
import { eventually } from '../spire/checks.ts';
import type { Suite } from '../spire/suite.ts';
import { BY_PATH, OURS_AND_CONTROL } from './ours-and-control.ts';
import { Stranger } from './stranger.ts';

/** spiffe-helper as an init container runs it: once, for the identity of a hint, with the roots of federated domains. */
export const spiffeHelperOnce: Suite = {
  name: 'spiffe-helper once, by hint, with a federated domain',
  pairings: OURS_AND_CONTROL,
  run: async (site, pairing) => {
    const helper = await spiffeHelper();
    const server = await site.server(pairing.server);
    const agent = await site.agent(pairing.agent, server, { plugins: BY_PATH });
    const other = new Stranger('other.test');
    await other.introduce(server);
    for (const hint of ['internal', 'external']) {
      const more = { hint, federatesWith: [other.name] };
      await server.createEntry(server.id(`/${hint}`), agent.id, [`unix:path:${helper}`], more);
    }
    const dir = site.folder('helper');
    await mkdir(dir, { recursive: true });
    const once = async (hint: string) => {
      const config = join(dir, 'helper.conf');
      await writeFile(config, helperConfig(agent.socket, dir, hint));
      return await run(helper, ['-config', config]);
    };
    const read = async (name: string) => parseCertificatesPem(await readFile(join(dir, name), 'utf8'));
    for (const hint of ['external', 'internal']) {
      await eventually(`the helper gets ${hint}`, async () => {
        const { code, output } = await once(hint);
        if (code !== 0) throw new Error(output);
        const [leaf] = await read('svid.pem');
        return leaf?.uriSans.join() === server.id(`/${hint}`) || undefined;
      });
      ensure((await read('bundle.pem')).length === 2, 'the roots of both domains');
    }
    ensure((await once('nobody')).code !== 0, 'a hint that nobody has is an error');
  },
};

const helperConfig = (socket: string, dir: string, hint: string): string => `
agent_address = "${socket}"
cert_dir = "${dir}"
daemon_mode = false
hint = "${hint}"
include_federated_domains = true
svid_file_name = "svid.pem"
svid_key_file_name = "key.pem"
svid_bundle_file_name = "bundle.pem"
`;

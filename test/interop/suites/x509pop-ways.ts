import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toPem } from '@steeple/client';
import { forgeCertificate } from '@steeple/test-kit';
import { ensure } from '../case.ts';
import { hasX509 } from '../spire/checks.ts';
import { wireId } from '../spire/server-unit.ts';
import type { Suite } from '../spire/suite.ts';
import type { Block } from '../spire/write-hcl.ts';

const self = `unix:uid:${process.getuid?.()}`;
const day = 86_400;

/** `x509pop` with intermediates and a name of the operator's choice, and with an SVID that another agent gave. */
export const x509popWays: Suite = {
  name: 'x509pop-ways',
  run: async (site, pairing) => {
    const folder = site.folder('pki');
    await mkdir(folder, { recursive: true });
    const { roots, node, fingerprints } = await publicKeyInfrastructure(folder);
    const template = '/x509pop/cn/{{ .Subject.CommonName }}/{{ .SerialNumberHex }}';
    const server = await site.server(pairing.server, {
      plugins: { NodeAttestor: { x509pop: { ca_bundle_paths: roots, agent_path_template: template } } },
    });
    const agent = await site.agent(pairing.agent, server, { plugins: { NodeAttestor: { x509pop: node } } });
    const [id = ''] = await server.agentIds();
    ensure(/\/spire\/agent\/x509pop\/cn\/node-7\/[0-9a-f]+$/.test(id), `the template makes the ID, not ${id}`);
    const { selectors } = await server.api.agent.getAgent({ id: wireId(id) }, { deadline: 10 });
    const values = new Set(selectors.map(({ value }) => value));
    for (const each of [...fingerprints.map((hex) => `ca:fingerprint:${hex}`), 'subject:cn:node-7', 'san:rack:r 1']) {
      ensure(values.has(each), `${each} among ${[...values]}`);
    }
    await server.createEntry(server.id('/workload'), id, [self]);
    await hasX509(agent, server.id('/workload'));
  },
};

/** Mode `spiffe`: the second agent attests with what the first one gives it. */
export const x509popExchange: Suite = {
  name: 'x509pop-exchange',
  run: async (site, pairing) => {
    const server = await site.server(pairing.server, {
      plugins: { NodeAttestor: { join_token: {}, x509pop: { mode: 'spiffe' } } },
    });
    const first = await site.agent(pairing.agent, server, { joinToken: await server.joinToken() });
    await server.createEntry(server.id('/spire-exchange/rack/7'), first.id, [self]);
    await hasX509(first, server.id('/spire-exchange/rack/7'));
    const x509pop: Block = { spiffe_endpoint_socket: `unix://${first.socket}` };
    const second = await site.agent(pairing.agent, server, { plugins: { NodeAttestor: { x509pop } } });
    const id = server.id('/spire/agent/x509pop/rack/7');
    ensure((await server.agentIds()).includes(id), `${id} among ${await server.agentIds()}`);
    await server.createEntry(server.id('/workload'), id, [self]);
    await hasX509(second, server.id('/workload'));
  },
};

async function publicKeyInfrastructure(folder: string) {
  const validity = { notBefore: Date.now() / 1000 - day, notAfter: Date.now() / 1000 + day };
  const ca = { ca: true, keyUsage: ['keyCertSign' as const], ...validity };
  const [root, other] = [
    forgeCertificate({ commonName: 'root', ...ca }),
    forgeCertificate({ commonName: 'other', ...ca }),
  ];
  const upper = forgeCertificate({ commonName: 'upper', issuer: root, ...ca });
  const lower = forgeCertificate({ commonName: 'lower', issuer: upper, ...ca });
  const leaf = forgeCertificate({
    issuer: lower,
    commonName: 'node-7',
    uris: ['x509pop://domain.test/rack/r%201/'],
    sanCritical: false,
    keyUsage: ['digitalSignature'],
    ...validity,
  });
  const write = async (name: string, text: string | Buffer): Promise<string> => {
    await writeFile(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const pem = ({ der }: { readonly der: Uint8Array }) => toPem('CERTIFICATE', der);
  return {
    roots: [await write('other.pem', pem(other)), await write('root.pem', pem(root))],
    node: {
      private_key_path: await write('key.pem', leaf.privateKey.export({ type: 'pkcs8', format: 'pem' })),
      // One intermediate stands behind the leaf, one in a file of its own.
      certificate_path: await write('leaf.pem', pem(leaf) + pem(lower)),
      intermediates_path: await write('upper.pem', pem(upper)),
    },
    fingerprints: [lower, upper, root].map(({ der }) => createHash('sha1').update(der).digest('hex')),
  };
}

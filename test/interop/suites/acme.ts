import { readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { freePort } from '../../../cli/src/dev/free-port.ts';
import { Process } from '../../stack/process.ts';
import { ensure } from '../case.ts';
import { pebble } from '../peers/pebble.ts';
import { eventually } from '../spire/checks.ts';
import { WebAuthority } from '../spire/federated-server.ts';
import type { Site } from '../spire/site.ts';
import type { Suite } from '../spire/suite.ts';

interface Authority {
  readonly directoryUrl: string;
  /** PEM certificates that vouch for the authority's own server, and for those it certifies. */
  readonly rootsPath: string;
}

/** An ACME authority that looks for challenges on the given port. */
async function authority(site: Site, web: WebAuthority, tlsPort: number): Promise<Authority> {
  const [port, management] = [await freePort(), await freePort()];
  const config = {
    pebble: {
      listenAddress: `127.0.0.1:${port}`,
      managementListenAddress: `127.0.0.1:${management}`,
      certificate: web.certPath,
      privateKey: web.keyPath,
      httpPort: await freePort(),
      tlsPort,
      ocspResponderURL: '',
      externalAccountBindingRequired: false,
    },
  };
  const path = join(site.dir, 'pebble.json');
  await writeFile(path, JSON.stringify(config));
  const env = { ...process.env, PEBBLE_VA_NOSLEEP: '1' };
  const running = site.watch(new Process('pebble', await pebble(), ['-config', path], { env }));
  await running.line(/ACME directory available at/);
  const own = await readFile(web.env['SSL_CERT_FILE'] ?? '', 'utf8');
  const rootsPath = join(site.dir, 'roots.pem');
  await writeFile(rootsPath, own + (await get(`https://localhost:${management}/roots/0`, own)));
  return { directoryUrl: `https://localhost:${port}/dir`, rootsPath };
}

const get = (url: string, ca: string): Promise<string> =>
  new Promise((resolve, reject) => {
    request(url, { ca }, (response) => resolve(text(response)))
      .once('error', reject)
      .end();
  });

/**
 * A server gets the certificate of its bundle endpoint from Let's Encrypt's test authority, which refuses nonces at random,
 * and another that trusts that authority reads its bundle. After a restart the certificate is still there. SPIRE's server
 * cannot be asked the same: it wants a name with a dot, and no such name leads to this machine.
 */
export const acme: Suite = {
  name: 'acme',
  pairings: [{ server: 'steeple', agent: 'steeple' }],
  run: async (site, { server: publisher }) => {
    const web = await WebAuthority.create(site.dir);
    await web.renew('localhost');
    const port = await freePort();
    const { directoryUrl, rootsPath } = await authority(site, web, port);
    const env = { ...web.env, SSL_CERT_FILE: rootsPath };
    const account = { domain_name: 'localhost', email: 'admin@example.org', tos_accepted: true };
    const profile = { [`profile "https_web"`]: { acme: { directory_url: directoryUrl, ...account } } };
    const published = await site.server(publisher, {
      trustDomain: 'acme.test',
      env,
      settings: { federation: { bundle_endpoint: { address: '127.0.0.1', port, ...profile } } },
    });
    const follows = {
      bundle_endpoint_url: `https://localhost:${port}/`,
      [`bundle_endpoint_profile "https_web"`]: {},
    };
    const reader = await site.server('steeple', {
      trustDomain: 'reader.test',
      env,
      settings: { federation: { [`federates_with "acme.test"`]: follows } },
    });
    const read = async () => {
      await reader.api.trustDomain.refreshBundle({ trustDomain: 'acme.test' }, { deadline: 20 });
      return true;
    };
    await eventually('the bundle is read with a certificate by ACME', read, 60);
    const { x509Authorities } = await reader.api.bundle.getFederatedBundle({ trustDomain: 'acme.test' });
    ensure(x509Authorities.length === 1, 'the bundle has its root');
    await published.restart();
    await eventually('the certificate is there after a restart', read, 10);
  },
};

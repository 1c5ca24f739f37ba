import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  authorizeId,
  BundleSet,
  parseCertificatesPem,
  parseJwks,
  SpiffeId,
  spiffeHttpsAgent,
  TrustBundle,
  verifyJwtSvid,
  X509Source,
} from '@steeple/client';
import { freePort } from '../../../cli/src/dev/free-port.ts';
import { Process } from '../../stack/process.ts';
import { ensure } from '../case.ts';
import { exists } from '../peers/cache.ts';
import { nginx, spiffeHelper } from '../peers/third-party.ts';
import { eventually, now } from '../spire/checks.ts';
import type { Suite } from '../spire/suite.ts';
import { BY_PATH, OURS_AND_CONTROL } from './ours-and-control.ts';
import { replaceRoot } from './replace-root.ts';
import { Visitor, visit } from './visitor.ts';

const AUDIENCE = 'somebody';

/**
 * spiffe-helper keeps the certificate and the roots of nginx fresh, while a client with an identity of its own knocks all
 * the time: several certificates, one change of the root, nobody refused. It keeps a token and the keys to check it, too.
 */
export const spiffeHelperSuite: Suite = {
  name: 'spiffe-helper keeps nginx fresh',
  pairings: OURS_AND_CONTROL,
  run: async (site, pairing) => {
    const [helper, web] = [await spiffeHelper(), await nginx()];
    const server = await site.server(pairing.server);
    const agent = await site.agent(pairing.agent, server, { plugins: BY_PATH });
    const id = SpiffeId.parse(server.id('/nginx'));
    const client = SpiffeId.parse(server.id('/client'));
    const ttls = { x509SvidTtl: 10, jwtSvidTtl: 10 };
    await server.createEntry(id.toString(), agent.id, [`unix:path:${helper}`], { dnsNames: ['localhost'], ...ttls });
    await server.createEntry(client.toString(), agent.id, [`unix:path:${process.execPath}`], ttls);

    const dir = site.folder('nginx');
    await mkdir(dir, { recursive: true });
    const at = (name: string) => join(dir, name);
    const text = (name: string) => readFile(at(name), 'utf8');
    await writeFile(at('helper.conf'), helperConfig(agent.socket, dir));
    site.watch(new Process('spiffe-helper', helper, ['-config', at('helper.conf')]));
    await eventually('the helper writes its files', async () =>
      (await Promise.all([at('svid.pem'), at('bundle.pem'), at('token'), at('jwks.json')].map(exists))).every(Boolean),
    );
    ensure(((await stat(at('key.pem'))).mode & 0o077) === 0, 'the key is readable by its owner only');

    const port = await freePort();
    await writeFile(at('nginx.conf'), nginxConfig(port));
    site.watch(new Process('nginx', web, ['-p', `${dir}/`, '-c', 'nginx.conf', '-e', 'stderr']));
    const source = await X509Source.open({ address: `unix://${agent.socket}` });
    site.defer(() => source.close());
    const peers = spiffeHttpsAgent({ svid: source, bundles: source, authorize: authorizeId(id) }, { keepAlive: false });
    await eventually('nginx answers', async () => (await visit(port, peers)).status === 200);

    const visitor = new Visitor(() => visit(port, peers));
    const firstToken = await text('token');
    await visitor.sees(4, 60);
    await replaceRoot(server, {
      roots: async () => parseCertificatesPem(await text('bundle.pem')).length,
      signedBy: async () => parseCertificatesPem(await text('svid.pem'))[0]?.authorityKeyId ?? '',
    });
    await visitor.sees(visitor.serials.size + 1, 30);
    await visitor.stop();
    ensure(visitor.visits > 50, `the client knocked all the time: ${visitor.visits} visits`);
    const { body } = await visit(port, peers);
    ensure(body.trim() === 'SUCCESS', `nginx believed the client: ${body}`);
    const stranger = await visit(port, spiffeHttpsAgent({ bundles: source, authorize: authorizeId(id) }));
    ensure(stranger.status === 400, `who has no certificate is refused: ${stranger.status}`);

    await eventually('the token is replaced', async () => (await text('token')) !== firstToken || undefined);
    const written = JSON.parse(await text('jwks.json')) as Record<string, string>;
    const keys = Buffer.from(written[server.trustDomain.name] ?? '', 'base64');
    const bundle = TrustBundle.of(server.trustDomain, { jwtAuthorities: parseJwks(keys, 'jwt') });
    const { id: subject } = verifyJwtSvid((await text('token')).trim(), BundleSet.of(bundle), [AUDIENCE], {
      now: now(),
    });
    ensure(subject.equals(id), `the token is that of the helper: ${subject}`);
  },
};

const helperConfig = (socket: string, dir: string): string => `
agent_address = "${socket}"
cert_dir = "${dir}"
svid_file_name = "svid.pem"
svid_key_file_name = "key.pem"
svid_bundle_file_name = "bundle.pem"
jwt_svids = [{ jwt_audience = "${AUDIENCE}", jwt_svid_file_name = "token" }]
jwt_bundle_file_name = "jwks.json"
pid_file_name = "${join(dir, 'nginx.pid')}"
renew_signal = "SIGHUP"
`;

/** One worker, as the user who starts it, with everything it writes in its folder. */
const nginxConfig = (port: number): string => `
daemon off;
${process.getuid?.() === 0 ? 'user root root;' : ''}
pid nginx.pid;
worker_processes 1;
events {}
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate svid.pem;
    ssl_certificate_key key.pem;
    ssl_client_certificate bundle.pem;
    ssl_verify_client on;
    ssl_verify_depth 3;
    location / { return 200 "$ssl_client_verify\\n"; }
  }
}
`;

// Metrics and health of a whole server, over the ports that their users ask.
import { writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { text } from 'node:stream/consumers';
import { credentials } from '@grpc/grpc-js';
import { configOf } from '@steeple/daemon/config';
import { createClient } from '@steeple/proto/grpc';
import { bundleV1, localauthorityV1, svidV1 } from '@steeple/proto/server-api';
import { toPem, type X509Svid } from '@steeple/spiffe';
import { MemoryLogger, type TempDir, TestTrustDomain, tempDir } from '@steeple/test-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseServerConfig } from './config.ts';
import { createServer, type Server } from './server.ts';
import { newRequest } from './testing/test-server.ts';

let dir: TempDir;
let server: Server | undefined;
const clients: { close(): void }[] = [];

beforeEach(async () => {
  dir = await tempDir();
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await server?.stop();
  server = undefined;
  await dir[Symbol.asyncDispose]();
});

const start = async (blocks: object, settings: object = {}): Promise<Server> => {
  const own = {
    trust_domain: 'example.org',
    bind_address: '127.0.0.1',
    bind_port: 0,
    socket_path: dir.join('api.sock'),
    data_dir: dir.join('data'),
    ...settings,
  };
  server = createServer(parseServerConfig(configOf({ server: own, ...blocks }), {}), { logger: new MemoryLogger() });
  await server.start();
  return server;
};

const admin = <S extends Parameters<typeof createClient>[0]>(service: S) => {
  const client = createClient(service, {
    address: `unix:${dir.join('api.sock')}`,
    credentials: credentials.createInsecure(),
  });
  clients.push(client);
  return client;
};

const scrape = async ({ addresses }: Server): Promise<string> =>
  (await fetch(`http://127.0.0.1:${addresses.metrics?.port}/metrics`)).text();

describe('metrics', () => {
  const prometheus = { telemetry: { Prometheus: { host: '127.0.0.1', port: 0 }, EnableHostnameLabel: false } };

  it('count calls, signatures, authorities and what the datastore does', async () => {
    const running = await start(prometheus);
    const { csr } = await newRequest('spiffe://example.org/x');
    const svid = admin(svidV1.SVID);
    await svid.mintX509SVID({ csr });
    await svid.mintX509SVID({ csr: new Uint8Array(3) }).catch(() => {});
    await svid.mintJWTSVID({ id: { trustDomain: 'example.org', path: '/x' }, audience: ['a'] });
    await admin(bundleV1.Bundle).countBundles({});
    const authority = admin(localauthorityV1.LocalAuthority);
    await authority.prepareX509Authority({});
    const numbers = await scrape(running);
    for (const line of [
      'rpc_svid_v1_svid_mint_x509svid{status="OK"} 1',
      'rpc_svid_v1_svid_mint_x509svid{status="InvalidArgument"} 1',
      'rpc_svid_v1_svid_mint_x509svid_elapsed_time_count{status="OK"} 1',
      // The server's own SVID is one of them.
      'server_ca_sign_x509_svid 2',
      'server_ca_sign_jwt_svid 1',
      'svid_rotate{status="OK"} 1',
      'ca_manager_x509_ca_prepare{status="OK"} 2',
      'ca_manager_x509_ca_activate 1',
      'ca_manager_jwt_key_prepare{status="OK"} 1',
      'manager_jwt_key_activate 1',
      'datastore_bundle_count{status="OK"} 1',
      'datastore_ca_journal_fetch{status="OK"} 1',
      'entry_cache_reload{status="OK"} 1',
      'server_key_manager_generate_key{status="OK"} 3',
      'registration_entry_manager_prune{status="OK"} 1',
      'ca_manager_bundle_prune{status="OK"} 1',
    ]) {
      expect(numbers).toContain(`\nspire_server_${line}\n`);
    }
    expect(numbers).toMatch(
      /\nspire_server_manager_x509_ca_rotate_expiration\{trust_domain_id="example_org"\} \d{10}\n/,
    );
    expect(numbers).toMatch(/\nspire_server_manager_x509_ca_rotate_ttl\{trust_domain_id="example_org"\} 86\d{3}/);
    expect(numbers).toMatch(/\nspire_server_started\{version="[\w]+",trust_domain_id="example_org"\} 1\n/);
    expect(numbers).toMatch(/\nspire_server_uptime_in_ms \d/);
  });

  it('name a failed operation of the datastore by its status', async () => {
    const running = await start(prometheus);
    const bundle = { trustDomain: 'b.test' };
    await admin(bundleV1.Bundle).batchUpdateFederatedBundle({ bundle: [bundle] });
    expect(await scrape(running)).toContain('\nspire_server_datastore_bundle_update{status="NotFound"} 1\n');
  });

  const ask = (port: number | undefined, options: object): Promise<string> =>
    new Promise((resolve, reject) => {
      get({ host: '127.0.0.1', port, agent: false, ...options }, (response) => resolve(text(response))).once(
        'error',
        reject,
      );
    });
  const pems = (svid: X509Svid): { cert: string; key: string } => ({
    cert: svid.chain.map(({ raw }) => toPem('CERTIFICATE', raw)).join(''),
    key: svid.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  });

  it('are served over TLS with a certificate from files, to holders of certificates of a given authority only', async () => {
    const web = await TestTrustDomain.create('web.test');
    const site = pems(await web.x509Svid('/site', { dnsNames: ['localhost'] }));
    const ca = toPem('CERTIFICATE', web.issuer.certificate.raw);
    await writeFile(dir.join('site.crt'), site.cert);
    await writeFile(dir.join('site.key'), site.key);
    await writeFile(dir.join('ca.crt'), ca);
    const tls = { cert_file: dir.join('site.crt'), key_file: dir.join('site.key'), client_ca_file: dir.join('ca.crt') };
    const { addresses } = await start({ telemetry: { Prometheus: { host: '127.0.0.1', port: 0, tls } } });
    const known = { ca, servername: 'localhost', ...pems(await web.x509Svid('/prometheus')) };
    expect(await ask(addresses.metrics?.port, known)).toContain('spire_server_started');
    const stranger = await TestTrustDomain.create('x.test');
    for (const wrong of [
      { ca, servername: 'localhost' },
      { ...known, ...pems(await stranger.x509Svid('/x')) },
    ]) {
      await expect(ask(addresses.metrics?.port, wrong)).rejects.toThrow();
    }
  });

  it('are served with the own SVID to authorized SPIFFE IDs only', async () => {
    const tls = { use_spire_svid: true, authorized_spiffe_ids: ['spiffe://example.org/prometheus'] };
    const { addresses } = await start({ telemetry: { Prometheus: { host: '127.0.0.1', port: 0, tls } } });
    const mint = async (id: string): Promise<object> => {
      const { csr, key } = await newRequest(id);
      const { svid } = await admin(svidV1.SVID).mintX509SVID({ csr });
      const cert = (svid?.certChain ?? []).map((der) => toPem('CERTIFICATE', der)).join('');
      return { cert, key: key.export({ type: 'pkcs8', format: 'pem' }), rejectUnauthorized: false };
    };
    const { metrics } = addresses;
    expect(await ask(metrics?.port, await mint('spiffe://example.org/prometheus'))).toContain('spire_server_started');
    await expect(ask(metrics?.port, await mint('spiffe://example.org/other'))).rejects.toThrow();
    await expect(ask(metrics?.port, { rejectUnauthorized: false })).rejects.toThrow();
  });
});

describe('health over HTTP', () => {
  const blocks = { health_checks: { listener_enabled: true, bind_address: '127.0.0.1', bind_port: '0' } };

  const ask = async (running: Server, path: string): Promise<[number, Record<string, unknown>]> => {
    const response = await fetch(`http://127.0.0.1:${running.addresses.health?.port}${path}`);
    return [response.status, (await response.json()) as Record<string, unknown>];
  };
  const healthy = async (running: Server): Promise<void> => {
    while ((await ask(running, '/ready'))[0] !== 200) await new Promise((done) => setTimeout(done, 10));
  };

  it('looks at the API, the CA, its rotation and the datastore', async () => {
    const running = await start(blocks);
    await healthy(running);
    const parts = { server: {}, 'server.ca': {}, 'server.ca.rotator': {}, 'catalog.datastore': {} };
    expect(await ask(running, '/live')).toEqual([200, parts]);
    expect(await ask(running, '/ready')).toEqual([200, parts]);
  });

  it('is not open without its switch', async () => {
    const running = await start({ health_checks: { bind_port: '0' } });
    expect(running.addresses.health).toBeUndefined();
  });
});

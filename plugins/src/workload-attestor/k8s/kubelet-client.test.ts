import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toPem } from '@steeple/spiffe';
import { FakeClock, type Forged, forgeCertificate } from '@steeple/test-kit';
import { afterAll, describe, expect, it } from 'vitest';
import { k8sSchema } from './configuration.ts';
import { KubeletAccess } from './kubelet-access.ts';
import { KubeletClient } from './kubelet-client.ts';
import { fakeKubelet } from './pods-for-tests.ts';

const directory = mkdtempSync(join(tmpdir(), 'steeple-kubelet-'));
afterAll(() => rmSync(directory, { recursive: true }));

const now = Date.now() / 1000;
const validity = { notBefore: now - 60, notAfter: now + 3600 };
const authority = (commonName: string) =>
  forgeCertificate({ ...validity, commonName, ca: true, keyUsage: ['keyCertSign'] });
const pem = ({ der }: Forged) => toPem('CERTIFICATE', der);
const keyPem = ({ privateKey }: Forged) => privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const file = (name: string, content: string) => {
  const path = join(directory, name);
  writeFileSync(path, content, { mode: 0o600 });
  return path;
};

const ca = authority('cluster');
const server = forgeCertificate({ ...validity, issuer: ca, commonName: 'kubelet', dnsNames: ['localhost'] });
const caPath = file('ca.crt', pem(ca));
const tls: ServerOptions = { cert: pem(server), key: keyPem(server) };

function clientOf(port: number, more: object): { client: KubeletClient; clock: FakeClock } {
  const clock = new FakeClock();
  const config = k8sSchema.parse({ kubelet_secure_port: port, kubelet_ca_path: caPath, ...more });
  return { client: new KubeletClient(new KubeletAccess(config, config.node_name ?? '', clock.monotonic)), clock };
}

describe('the kubelet, asked over TLS', () => {
  it('is shown the token, and a new one when it refuses the old', async () => {
    let good = 'first';
    const token_path = file('token', 'first\n');
    await using kubelet = await fakeKubelet((request, response) => {
      response.writeHead(request.headers.authorization === `Bearer ${good}` ? 200 : 401).end('pods');
    }, tls);
    const { client } = clientOf(kubelet.port, { token_path });
    expect(String(await client.pods())).toBe('pods');
    good = 'second';
    await expect(client.pods()).rejects.toMatchObject({ passing: false, message: expect.stringContaining('401') });
    file('token', 'second');
    expect(String(await client.pods())).toBe('pods');
    // Remembered, and replaced before the kubelet refuses it: the refused one is read again within the same question.
    good = 'third';
    file('token', 'third');
    expect(String(await client.pods())).toBe('pods');
  });

  it('is shown a new token after the interval, without a refusal', async () => {
    const shown: (string | undefined)[] = [];
    const token_path = file('rotated', 'first');
    await using kubelet = await fakeKubelet((request, response) => {
      shown.push(request.headers.authorization);
      response.end();
    }, tls);
    const { client, clock } = clientOf(kubelet.port, { token_path, reload_interval: '10s' });
    await client.pods();
    file('rotated', 'second');
    await clock.advance(9);
    await client.pods();
    await clock.advance(1);
    await client.pods();
    expect(shown).toEqual(['Bearer first', 'Bearer first', 'Bearer second']);
  });

  it('is shown a client certificate, and no token then', async () => {
    const client = forgeCertificate({ ...validity, issuer: ca, commonName: 'agent' });
    let seen: unknown;
    await using kubelet = await fakeKubelet(
      (request, response) => {
        const { authorized } = request.socket as unknown as { authorized: boolean };
        seen = [authorized, request.headers.authorization];
        response.end();
      },
      { ...tls, ca: pem(ca), requestCert: true },
    );
    const paths = { certificate_path: file('a.crt', pem(client)), private_key_path: file('a.key', keyPem(client)) };
    await clientOf(kubelet.port, paths).client.pods();
    expect(seen).toEqual([true, undefined]);
  });

  it('must have the name that it is asked by, if it is asked by one', async () => {
    await using kubelet = await fakeKubelet((_, response) => response.end('pods'), tls);
    const anonymous = { use_anonymous_authentication: true };
    const ask = (more: object) => clientOf(kubelet.port, { ...anonymous, ...more }).client.pods();
    expect(String(await ask({ node_name: 'localhost' }))).toBe('pods');
    expect(String(await ask({}))).toBe('pods');
    await expect(ask({ node_name: '127.0.0.1' })).rejects.toMatchObject({ passing: false });
  });

  it('must have a certificate of the right authority, unless told otherwise', async () => {
    await using kubelet = await fakeKubelet((_, response) => response.end('pods'), tls);
    const anonymous = { use_anonymous_authentication: true };
    const other = { ...anonymous, kubelet_ca_path: file('other.crt', pem(authority('other'))) };
    const asking = clientOf(kubelet.port, other).client.pods();
    await expect(asking).rejects.toMatchObject({ passing: false, message: expect.stringMatching(/certificate/) });
    const skipping = { ...anonymous, skip_kubelet_verification: true, kubelet_ca_path: '/nonexistent' };
    expect(String(await clientOf(kubelet.port, skipping).client.pods())).toBe('pods');
  });

  it.each([
    ['token_path', { token_path: '/nonexistent/token' }],
    ['kubelet_ca_path', { kubelet_ca_path: '/nonexistent/ca', use_anonymous_authentication: true }],
    ['token_path', { token_path: file('empty', ' \n') }],
  ])('is not asked without what %s names', async (setting, more) => {
    await expect(clientOf(1, more).client.pods()).rejects.toMatchObject({ message: expect.stringContaining(setting) });
  });
});

describe('the kubelet, asked on its read-only port', () => {
  const ask = (port: number) => clientOf(0, { kubelet_read_only_port: port }).client.pods();

  it('is asked without any credentials', async () => {
    await using kubelet = await fakeKubelet(({ url, headers }, response) => {
      response.end(`${url} ${headers.authorization}`);
    });
    expect(String(await ask(kubelet.port))).toBe('/pods undefined');
  });

  it('may come again when it is not there, or has trouble', async () => {
    await expect(ask(1)).rejects.toMatchObject({ passing: true, message: expect.stringContaining('ECONNREFUSED') });
    await using kubelet = await fakeKubelet((_, response) => response.writeHead(500).end('secret'));
    await expect(ask(kubelet.port)).rejects.toMatchObject({ passing: true, message: 'the kubelet answered 500' });
    await using broken = await fakeKubelet((_, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('{"items"');
      setTimeout(() => response.destroy(), 20);
    });
    await expect(ask(broken.port)).rejects.toMatchObject({ passing: true });
  });

  it('may not say more than anybody could take', async () => {
    const part = Buffer.alloc(1024 * 1024, ' ');
    await using kubelet = await fakeKubelet((_, response) => {
      const more = () => {
        while (!response.destroyed && response.write(part));
      };
      response.on('drain', more);
      more();
    });
    await expect(ask(kubelet.port)).rejects.toMatchObject({ message: expect.stringContaining('more than') });
  });

  it('is asked again on a new connection when it has closed the kept one', async () => {
    await using kubelet = await fakeKubelet((request, response) => {
      response.end('pods', () => request.socket.destroy());
    });
    const { client } = clientOf(0, { kubelet_read_only_port: kubelet.port });
    for (let round = 0; round < 3; round++) expect(String(await client.pods())).toBe('pods');
  });
});

import { FakeClock, type Forged, forgeCertificate, SERVER_AUTH } from '@steeple/test-kit';
import { describe, expect, it } from 'vitest';
import { KubernetesClient } from './client.ts';
import type { KubernetesConnection } from './connection.ts';
import { fakeApi, json, object } from './fake-api.fixture.ts';
import { CONFIG_MAPS } from './resource.ts';

const ref = { namespace: 'ns', name: 'one' };
const times = { notBefore: Date.now() / 1000 - 60, notAfter: Date.now() / 1000 + 3600 };
const pem = ({ der }: Forged) =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE-----\n`;
const keyOf = ({ privateKey }: Forged) => String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
const authority = (commonName: string) =>
  forgeCertificate({ commonName, ca: true, keyUsage: ['keyCertSign'], ...times });
const leaf = (issuer: Forged, name: string, extKeyUsage?: readonly string[]) =>
  forgeCertificate({ issuer, commonName: name, dnsNames: [name], extKeyUsage, ...times });

const connection = (url: string, ca: Forged, more: Partial<KubernetesConnection> = {}): KubernetesConnection => ({
  server: url,
  ca: pem(ca),
  identity: undefined,
  serverName: 'api.test',
  token: 't',
  namespace: 'ns',
  ...more,
});

describe('the connection to the API', () => {
  it('is with the server that the CA vouches for, under its name, and no other', async () => {
    const [ca, foreign] = [authority('ca'), authority('foreign')];
    const api = leaf(ca, 'api.test', [SERVER_AUTH]);
    await using server = await fakeApi((_asked, response) => json(response, object('one')), {
      cert: pem(api),
      key: keyOf(api),
    });
    let now = connection(server.url, ca);
    using client = new KubernetesClient({ access: async () => now, clock: new FakeClock() });
    await client.get(CONFIG_MAPS, ref);
    for (const wrong of [connection(server.url, foreign), connection(server.url, ca, { serverName: 'other.test' })]) {
      now = wrong;
      await expect(client.get(CONFIG_MAPS, ref)).rejects.toMatchObject({ code: 'unreachable' });
    }
    now = connection(server.url, ca, { ca: 'no certificate', token: 'secret' });
    await expect(client.get(CONFIG_MAPS, ref)).rejects.toMatchObject({ name: 'KubernetesError' });
    now = connection(server.url, ca, { identity: { certificate: pem(api), key: 'no key' } });
    await expect(client.get(CONFIG_MAPS, ref)).rejects.toMatchObject({ code: 'access' });
    expect(server.asked).toHaveLength(1);
  });

  it('shows the client certificate of the moment, and a new token on a kept connection', async () => {
    const ca = authority('ca');
    const [api, first, second] = [leaf(ca, 'api.test'), leaf(ca, 'first'), leaf(ca, 'second')];
    const seen: unknown[] = [];
    const sockets = new Set<unknown>();
    await using server = await fakeApi(
      (asked, response, { socket }) => {
        sockets.add(socket);
        seen.push([
          (socket as unknown as { getPeerCertificate(): { subject: { CN: string } } }).getPeerCertificate().subject.CN,
          asked.authorization,
        ]);
        json(response, object('one'));
      },
      { cert: pem(api), key: keyOf(api), ca: pem(ca), requestCert: true, rejectUnauthorized: true },
    );
    let now = connection(server.url, ca, { identity: { certificate: pem(first), key: keyOf(first) } });
    using client = new KubernetesClient({ access: async () => now, clock: new FakeClock() });
    await client.get(CONFIG_MAPS, ref);
    now = { ...now, token: 'renewed' };
    await client.get(CONFIG_MAPS, ref);
    expect(sockets.size).toBe(1);
    now = { ...now, identity: { certificate: pem(second), key: keyOf(second) } };
    await client.get(CONFIG_MAPS, ref);
    expect(seen).toEqual([
      ['first', 'Bearer t'],
      ['first', 'Bearer renewed'],
      ['second', 'Bearer renewed'],
    ]);
  });

  it('is made anew if the kept one was closed meanwhile', async () => {
    const ca = authority('ca');
    const api = leaf(ca, 'api.test');
    let calls = 0;
    await using server = await fakeApi(
      (_asked, response, { socket }) => {
        calls += 1;
        if (calls === 2) socket.destroy();
        else json(response, object('one'));
      },
      { cert: pem(api), key: keyOf(api) },
    );
    using client = new KubernetesClient({ access: async () => connection(server.url, ca), clock: new FakeClock() });
    await client.get(CONFIG_MAPS, ref);
    await client.get(CONFIG_MAPS, ref);
    expect(calls).toBe(3);
  });
});

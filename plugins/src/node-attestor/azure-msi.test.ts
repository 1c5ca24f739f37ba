import { generateKeyPairSync } from 'node:crypto';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { listenAsIdentity, listenAsResourceManager, MACHINE, MACHINE_ID, tokenOf } from './azure-msi/msi-for-tests.ts';
import { azureMsiProver, azureMsiVerifier } from './azure-msi.ts';
import { attest, ChannelPair } from './channel-for-tests.ts';
import type { StandIn } from './cloud/http-for-tests.ts';
import { TestPlace } from './cloud/place-for-tests.ts';
import { nodeAttestorContract } from './node-attestor.contract.ts';
import { NOW } from './x509pop/certificates-for-tests.ts';

const place = new TestPlace();
const open: AsyncDisposable[] = [];
afterAll(async () => {
  place[Symbol.dispose]();
  for (const one of open) await one[Symbol.asyncDispose]();
});
afterEach(() => vi.unstubAllEnvs());
const { signal } = new AbortController();
const APP = { subscription_id: MACHINE.subscriptionId, app_id: 'app', app_secret: 'hush' };

async function server(config: object = {}, tenant: object = APP, azure?: StandIn) {
  const api = azure ?? (await listenAsResourceManager());
  open.push(api);
  const settings = {
    tenants: { [MACHINE.tenantId]: tenant },
    login_endpoint: api.address,
    management_endpoint: api.address,
    ...config,
  };
  const verifier = await azureMsiVerifier.create(azureMsiVerifier.schema.parse(settings), place.host);
  const judge = (token: string) =>
    verifier.verify(Buffer.from(JSON.stringify({ token })), new ChannelPair().server, signal);
  return { api, verifier, judge };
}

async function agent(config: object = {}) {
  const metadata = await listenAsIdentity();
  open.push(metadata);
  const settings = { imds_endpoint: metadata.address, ...config };
  return { metadata, prover: await azureMsiProver.create(azureMsiProver.schema.parse(settings), place.host) };
}

describe('azure_msi', () => {
  nodeAttestorContract(async () => ({ prover: (await agent()).prover, verifier: (await server()).verifier }));

  it('sends the token, and tells what Azure knows of the machine whose it is', async () => {
    const pair = new ChannelPair();
    const { prover, metadata } = await agent({ resource_id: 'api://steeple' });
    const node = await attest(prover, (await server({}, APP)).verifier, pair);
    expect(pair.said.map(({ data }) => Buffer.from(data).toString())).toEqual([JSON.stringify({ token: tokenOf() })]);
    expect(metadata.requests[0]?.url.searchParams.get('resource')).toBe('api://steeple');
    expect(node.agentId.path).toBe(`/spire/agent/azure_msi/${MACHINE.tenantId}/${MACHINE.principalId}`);
    expect(node.canReattest).toBe(false);
    expect(node.selectors.map(({ value }) => value)).toEqual([
      'network-security-group:RG:nsg',
      `subscription-id:${MACHINE.subscriptionId}`,
      'virtual-network-subnet:RG:vnet:default',
      'virtual-network:RG:vnet',
      'vm-name:RG:blog',
    ]);
  });

  it("looks in the subscription of its own machine, with that machine's identity, if nothing else is said", async () => {
    vi.stubEnv('AZURE_CLIENT_ID', '');
    const machine = await listenAsIdentity(() => 'of-the-machine');
    open.push(machine);
    const { judge, api } = await server({ imds_endpoint: machine.address }, {});
    await judge(tokenOf());
    expect(api.requests.at(-1)?.headers.authorization).toBe('Bearer of-the-machine');
  });

  it('takes tokens for the audience of the tenant', async () => {
    const { judge } = await server({}, { ...APP, resource_id: 'api://steeple' });
    await judge(tokenOf({ aud: 'api://steeple' }));
    await expect(judge(tokenOf())).rejects.toMatchObject({ code: 'permission-denied' });
  });
});

describe('azure_msi refuses', () => {
  const denied = (message: string) => ({ code: 'permission-denied', message: expect.stringContaining(message) });

  it.each([
    ['another audience', { aud: 'https://vault.azure.net' }, 'another audience'],
    ['an end that has passed', { exp: NOW - 300 }, 'expired'],
    ['no end', { exp: undefined }, 'expired'],
    ['a beginning to come', { nbf: NOW + 301 }, 'not valid yet'],
    [
      'another tenant, by its own issuer',
      { tid: MACHINE.principalId, iss: `https://sts.windows.net/${MACHINE.principalId}/` },
      'not authorized',
    ],
    [
      "a tenant's name with another tenant's issuer",
      { iss: `https://sts.windows.net/${MACHINE.principalId}/` },
      'issuer of its tenant',
    ],
    ['no issuer', { iss: undefined }, 'issuer of its tenant'],
    ['a subject that is a query', { sub: "x' or 1 eq 1" }, 'no usable subject'],
    ['no tenant', { tid: undefined }, 'no usable tenant'],
    ['a principal that is no machine', { sub: MACHINE.tenantId }, 'exactly one machine'],
  ])('%s', async (_name, claims, message) => {
    await expect((await server()).judge(tokenOf(claims))).rejects.toMatchObject(denied(message));
  });

  it('a token that Azure did not sign', async () => {
    const { judge } = await server();
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const unsigned = { code: 'invalid-argument', message: expect.stringContaining('unable to verify') };
    await expect(judge(tokenOf({}, { key: privateKey }))).rejects.toMatchObject(unsigned);
    await expect(judge(tokenOf({}, { header: { kid: 'other' } }))).rejects.toMatchObject(unsigned);
    await expect(judge(tokenOf({}, { header: { kid: undefined } }))).rejects.toMatchObject(unsigned);
    await expect(judge('')).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  it('to follow what Azure calls a machine or an interface and is none', async () => {
    const list = `/subscriptions/${MACHINE.subscriptionId}/resources`;
    const lure = await listenAsResourceManager({ [list]: () => '{"value":[{"id":"//evil.test/x"}]}' });
    await expect((await server({}, APP, lure)).judge(tokenOf())).rejects.toMatchObject({ code: 'unavailable' });
    const networkProfile = { networkInterfaces: [{ id: '/../../x' }] };
    const odd = await listenAsResourceManager({
      [MACHINE_ID]: () => JSON.stringify({ properties: { networkProfile } }),
    });
    await expect((await server({}, APP, odd)).judge(tokenOf())).rejects.toMatchObject({ code: 'unavailable' });
    const two = await listenAsResourceManager({
      [list]: () => JSON.stringify({ value: [{ id: MACHINE_ID }, { id: MACHINE_ID }] }),
    });
    await expect((await server({}, APP, two)).judge(tokenOf())).rejects.toMatchObject(denied('exactly one'));
  });

  it.each([
    {},
    { tenants: {} },
    { tenants: { 'contoso.com': {} } },
    { tenants: { [MACHINE.tenantId]: { app_id: 'a' } } },
  ])('the configuration %j', (config) => {
    expect(azureMsiVerifier.schema.safeParse(config).success).toBe(false);
  });
});

import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import {
  contentOf,
  ISSUER,
  listenAsAzure,
  listenAsMetadata,
  MACHINE,
  metadataCertificate,
  ROOT,
  scaleSetMachine,
} from './azure-imds/azure-for-tests.ts';
import { azureImdsProver, azureImdsVerifier } from './azure-imds.ts';
import { attest, ChannelPair } from './channel-for-tests.ts';
import { azureSignedData } from './cloud/cms-for-tests.ts';
import type { StandIn } from './cloud/http-for-tests.ts';
import { TestPlace } from './cloud/place-for-tests.ts';
import { nodeAttestorContract } from './node-attestor.contract.ts';

const place = new TestPlace();
const open: AsyncDisposable[] = [];
afterAll(async () => {
  place[Symbol.dispose]();
  for (const one of open) await one[Symbol.asyncDispose]();
});
afterEach(() => vi.unstubAllEnvs());
const { signal } = new AbortController();
const SECRET = { secret_auth: { app_id: 'app', app_secret: 'hush' } };
const signer = metadataCertificate();

async function server(config: object = {}, tenant: object = {}, azure?: StandIn) {
  const api = azure ?? (await listenAsAzure());
  open.push(api);
  const settings = {
    tenants: { [MACHINE.domain]: { ...SECRET, ...tenant } },
    trust_bundle_path: place.certificateFile(ROOT.certificate),
    login_endpoint: api.address,
    management_endpoint: api.address,
    ...config,
  };
  return { api, verifier: await azureImdsVerifier.create(azureImdsVerifier.schema.parse(settings), place.host) };
}

async function agent(options: Parameters<typeof listenAsMetadata>[0] = { signer }, config: object = {}) {
  const metadata = await listenAsMetadata(options);
  open.push(metadata);
  const settings = { tenant_domain: MACHINE.domain, imds_endpoint: metadata.address, ...config };
  return { metadata, prover: await azureImdsProver.create(azureImdsProver.schema.parse(settings), place.host) };
}
/** Both halves against each other, with a document of this content. */
const withContent = async (content: (nonce: string) => Uint8Array, config: object = {}, tenant: object = {}) => {
  const sign = (nonce: string) => azureSignedData(content(nonce), [signer], [signer.certificate]);
  const { prover } = await agent({ sign });
  return await attest(prover, (await server({ intermediates_path: intermediates(), ...config }, tenant)).verifier);
};
const intermediates = () => place.certificateFile(ISSUER.certificate);
const values = (node: { selectors: readonly { value: string }[] }) => node.selectors.map(({ value }) => value);
const network = ['network-security-group:RG-Net:nsg', 'virtual-network-subnet:vnet:default', 'virtual-network:vnet'];

describe('azure_imds', () => {
  nodeAttestorContract(async () => ({ prover: (await agent()).prover, verifier: (await server()).verifier }));

  it('speaks the messages of SPIRE', async () => {
    const pair = new ChannelPair();
    const { prover, metadata } = await agent();
    const node = await attest(prover, (await server()).verifier, pair);
    const [opening, nonce, response] = pair.said.map(({ data }) => Buffer.from(data).toString());
    expect(opening).toBe('non_empty_payload');
    expect(nonce).toMatch(/^[A-Za-z0-9]{32}$/);
    expect(response).toMatch(
      /^\{"document":\{"encoding":"pkcs7","signature":"[A-Za-z0-9+/=]+"\},"metadata":\{"agentDomain":"contoso\.onmicrosoft\.com","vmssName":null\}\}$/,
    );
    expect(metadata.requests[0]?.url.searchParams.get('nonce')).toBe(nonce);
    const { tenantId, subscriptionId, vmId } = MACHINE;
    expect(node.agentId.path).toBe(`/spire/agent/azure_imds/${tenantId}/${subscriptionId}/${vmId}`);
    expect(node.canReattest).toBe(false);
  });

  it('tells of the machine what Azure knows, of its tags what is allowed', async () => {
    const { verifier } = await server({}, { allowed_vm_tags: ['env', 'none'] });
    expect(values(await attest((await agent()).prover, verifier))).toEqual([
      network[0],
      'resource-group:rg',
      `subscription-id:${MACHINE.subscriptionId}`,
      ...network.slice(1),
      'vm-location:eastus',
      'vm-name:blog',
      'vm-tag:env:prod',
    ]);
  });

  it('finds a machine of a scale set, page after page', async () => {
    const list = `/subscriptions/${MACHINE.subscriptionId}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachineScaleSets/${MACHINE.scaleSet}/virtualMachines`;
    const pages = {
      [list]: ({ url }: { url: URL }) => {
        if (url.searchParams.has('more'))
          return JSON.stringify({ value: [scaleSetMachine(MACHINE.vmId.toUpperCase())] });
        return JSON.stringify({ value: [scaleSetMachine('0')], nextLink: `${url.href}&more=1` });
      },
    };
    const { verifier } = await server({}, {}, await listenAsAzure(pages));
    const found = values(await attest((await agent({ signer, scaleSet: MACHINE.scaleSet })).prover, verifier));
    expect(found).toEqual(
      expect.arrayContaining([...network, 'vmss-name:web-set', 'vm-name:web-set_1', 'resource-group:rg']),
    );
  });

  it.each([
    ['a secret', SECRET, { client_id: 'app', client_secret: 'hush' }],
    [
      'a token file',
      { secret_auth: undefined, token_auth: { app_id: 'app', token_path: 'token' } },
      { client_assertion: 'a.b.c' },
    ],
  ])('asks Azure with %s', async (_name, tenant, expected) => {
    const settings = JSON.parse(
      JSON.stringify(tenant).replace('"token"', JSON.stringify(place.file('a.b.c\n'))),
    ) as object;
    const { verifier, api } = await server({}, { secret_auth: undefined, ...settings });
    await attest((await agent()).prover, verifier);
    const asked = api.requests.find(({ url }) => url.pathname.endsWith('/token'));
    expect(Object.fromEntries(new URLSearchParams(asked?.body))).toMatchObject({
      grant_type: 'client_credentials',
      ...expected,
    });
  });

  it("asks Azure with the machine's identity if nothing else is said", async () => {
    vi.stubEnv('AZURE_CLIENT_ID', '');
    const machine = await listenAsMetadata({ signer });
    open.push(machine);
    const { verifier, api } = await server({ imds_endpoint: machine.address }, { secret_auth: undefined });
    await attest((await agent()).prover, verifier);
    expect(api.requests.at(-1)?.headers.authorization).toBe('Bearer of-the-machine');
  });
});

describe('azure_imds refuses', () => {
  const denied = (message: string) => ({ code: 'permission-denied', message: expect.stringContaining(message) });
  const malformed = (message: string) => ({ code: 'invalid-argument', message: expect.stringContaining(message) });

  it('a document for another challenge, or of no machine', async () => {
    await expect(withContent(() => contentOf('x'.repeat(32)))).rejects.toMatchObject(malformed('nonce mismatch'));
    await expect(withContent(() => contentOf(''))).rejects.toMatchObject(malformed('nonce mismatch'));
    for (const vmId of ['', "' or 1==1", '../x', undefined]) {
      await expect(withContent((nonce) => contentOf(nonce, { vmId }))).rejects.toMatchObject(malformed('vmId'));
    }
    const elsewhere = withContent((nonce) => contentOf(nonce, { subscriptionId: '../../x' }));
    await expect(elsewhere).rejects.toMatchObject(malformed('subscriptionId'));
    await withContent((nonce) => contentOf(nonce));
  });

  it('tenants and subscriptions that are not allowed', async () => {
    const { prover } = await agent({ signer }, { tenant_domain: 'other.test' });
    await expect(attest(prover, (await server()).verifier)).rejects.toMatchObject(denied('tenant'));
    const mine = { restrict_to_subscriptions: [MACHINE.subscriptionId.toUpperCase()] };
    await attest((await agent()).prover, (await server({}, mine)).verifier);
    const others = { restrict_to_subscriptions: ['00000000-0000-0000-0000-000000000000'] };
    await expect(attest((await agent()).prover, (await server({}, others)).verifier)).rejects.toMatchObject(
      denied('subscription'),
    );
  });

  it('a machine that the tenant does not see, or that is not in the scale set it names', async () => {
    const none = await listenAsAzure({ 'microsoft.compute/virtualmachines': () => '{"totalRecords":0,"data":[]}' });
    await expect(attest((await agent()).prover, (await server({}, {}, none)).verifier)).rejects.toMatchObject(
      denied('exactly one'),
    );
    const list = `/subscriptions/${MACHINE.subscriptionId}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachineScaleSets/${MACHINE.scaleSet}/virtualMachines`;
    const empty = await listenAsAzure({ [list]: () => '{"value":[]}' });
    const inSet = () => agent({ signer, scaleSet: MACHINE.scaleSet });
    await expect(attest((await inSet()).prover, (await server({}, {}, empty)).verifier)).rejects.toMatchObject(
      denied('no such machine'),
    );
    const lure = await listenAsAzure({ [list]: () => '{"value":[],"nextLink":"http://evil.test/"}' });
    await expect(attest((await inSet()).prover, (await server({}, {}, lure)).verifier)).rejects.toMatchObject({
      code: 'unavailable',
    });
  });

  it.each(["x' or '1'=='1", 'a/../b', '', '-x', 'x'.repeat(65)])(
    'the scale set %j before it asks for it',
    async (scaleSet) => {
      const { verifier, api } = await server();
      const pair = new ChannelPair({
        tamper: (data, index) =>
          index === 2 ? Buffer.from(Buffer.from(data).toString().replace('null', JSON.stringify(scaleSet))) : data,
      });
      await expect(attest((await agent()).prover, verifier, pair)).rejects.toMatchObject(malformed('VMSS name'));
      expect(api.requests).toHaveLength(0);
    },
  );

  it.each([
    '',
    '{}',
    '{"document":{},"metadata":{}}',
    '{"document":{"signature":"*"},"metadata":{}}',
    '{"document":{"signature":"AAAA"},"metadata":{}}',
  ])('the answer %j', async (text) => {
    const pair = new ChannelPair({ tamper: (data, index) => (index === 2 ? Buffer.from(text) : data) });
    const attesting = attest((await agent()).prover, (await server()).verifier, pair);
    await expect(attesting).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  it('to sign for a server whose challenge is none', async () => {
    const { prover, metadata } = await agent();
    const pair = new ChannelPair();
    const proving = prover.prove(pair.agent, signal);
    await pair.server.send(Buffer.from('a&api-version=x'));
    await expect(proving).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(metadata.requests).toHaveLength(0);
  });

  it.each([
    {},
    { tenants: {} },
    { tenants: { 'a.test': { ...SECRET, token_auth: { app_id: 'a', token_path: 'b' } } } },
    { tenants: { 'a.test': { secret_auth: { app_id: 'a' } } } },
    { tenants: { 'a.test/x': {} } },
    { tenants: { 'a.test': { restrict_to_subscriptions: [' '] } } },
    { tenants: { 'a.test': {} }, use_msi: true },
  ])('the configuration %j', (config) => {
    expect(azureImdsVerifier.schema.safeParse(config).success).toBe(false);
  });

  it('a trust bundle that is none', async () => {
    const leaf = place.certificateFile(signer.certificate);
    await expect(server({ trust_bundle_path: leaf })).rejects.toThrow('no CA');
    await expect(server({ trust_bundle_path: '/nonexistent' })).rejects.toThrow('ENOENT');
  });
});

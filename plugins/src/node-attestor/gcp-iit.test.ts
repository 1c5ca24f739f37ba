import { generateKeyPairSync, verify } from 'node:crypto';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { attest, ChannelPair } from './channel-for-tests.ts';
import type { StandIn } from './cloud/http-for-tests.ts';
import { TestPlace } from './cloud/place-for-tests.ts';
import {
  ACCOUNT,
  certificates,
  engine,
  INSTANCE,
  listenAsGoogle,
  listenAsMetadataServer,
  SIGNER,
  tokenOf,
} from './gcp-iit/gcp-for-tests.ts';
import { gcpIitProver, gcpIitVerifier } from './gcp-iit.ts';
import { nodeAttestorContract } from './node-attestor.contract.ts';
import { NOW } from './x509pop/certificates-for-tests.ts';

const place = new TestPlace();
const open: AsyncDisposable[] = [];
afterAll(async () => {
  place[Symbol.dispose]();
  for (const one of open) await one[Symbol.asyncDispose]();
});
afterEach(() => {
  vi.unstubAllEnvs();
  place.now = NOW;
});
const { signal } = new AbortController();

async function server(config: object = {}, google?: StandIn) {
  const api = google ?? (await listenAsGoogle());
  open.push(api);
  const settings = {
    projectid_allow_list: [INSTANCE.project_id],
    google_certs_url: `${api.address}/oauth2/v1/certs`,
    compute_endpoint: api.address,
    ...config,
  };
  const verifier = await gcpIitVerifier.create(gcpIitVerifier.schema.parse(settings), place.host);
  const judge = (token: string) => verifier.verify(Buffer.from(token), new ChannelPair().server, signal);
  return { api, verifier, judge };
}

async function agent(config: object = {}) {
  const metadata = await listenAsMetadataServer();
  open.push(metadata);
  const settings = { identity_token_host: new URL(metadata.address).host, ...config };
  return { metadata, prover: await gcpIitProver.create(gcpIitProver.schema.parse(settings), place.host) };
}

const fromToken = [
  `project-id:${INSTANCE.project_id}`,
  'zone:us-west1-b',
  'instance-name:blog-server',
  `sa:${ACCOUNT}`,
];

describe('gcp_iit', () => {
  nodeAttestorContract(async () => ({ prover: (await agent()).prover, verifier: (await server()).verifier }));

  it('sends the token and nothing else, asked for in full and for the audience of SPIRE', async () => {
    const pair = new ChannelPair();
    const { metadata, prover } = await agent();
    const node = await attest(prover, (await server()).verifier, pair);
    expect(pair.said.map(({ data }) => Buffer.from(data).toString())).toEqual([tokenOf()]);
    expect(Object.fromEntries(metadata.requests[0]?.url.searchParams ?? [])).toEqual({
      audience: 'spire-gcp-node-attestor',
      format: 'full',
    });
    expect(node.agentId.path).toBe('/spire/agent/gcp_iit/big-kahuna-123456/152986662232938449');
    expect(node.selectors.map(({ value }) => value)).toEqual(fromToken);
    expect(node.canReattest).toBe(false);
  });

  it('makes the agent path of a template', async () => {
    const { judge } = await server({
      agent_path_template: 'gcp_iit/{{ .Zone }}/{{ .ServiceAccount }}/{{ .ProjectNumber }}',
    });
    const account = '123456789-compute_developer.gserviceaccount.com';
    expect((await judge(tokenOf())).agentId.path).toBe(`/spire/agent/gcp_iit/us-west1-b/${account}/739419398126`);
  });

  it('tells what Compute Engine knows, of labels and metadata what is allowed', async () => {
    const metadata = await listenAsMetadataServer();
    open.push(metadata);
    vi.stubEnv('GCE_METADATA_HOST', new URL(metadata.address).host);
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', '');
    const config = {
      use_instance_metadata: true,
      allowed_label_keys: ['env'],
      allowed_metadata_keys: ['role', 'empty'],
    };
    const { judge, api } = await server(config);
    const values = (await judge(tokenOf())).selectors.map(({ value }) => value);
    const more = ['tag:blog-server', 'tag:http', 'label:env:prod', 'metadata:role:frontend', 'metadata:empty:'];
    expect(values).toEqual([...fromToken, ...more]);
    await judge(tokenOf());
    expect(metadata.requests).toHaveLength(1);
    expect(api.requests.at(-1)?.headers.authorization).toBe('Bearer of-the-machine');
  });

  it('asks as the service account of a file, by a signed assertion', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const google = await listenAsGoogle();
    const account = {
      type: 'service_account',
      client_email: 'server@project.iam.gserviceaccount.com',
      private_key_id: 'k1',
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      token_uri: `${google.address}/token`,
    };
    const service_account_file = place.file(JSON.stringify(account));
    const { judge, api } = await server({ use_instance_metadata: true, service_account_file }, google);
    await judge(tokenOf());
    const assertion =
      new URLSearchParams(api.requests.find(({ method }) => method === 'POST')?.body).get('assertion') ?? '';
    const [header = '', claims = '', signature = ''] = assertion.split('.');
    expect(verify('sha256', Buffer.from(`${header}.${claims}`), publicKey, Buffer.from(signature, 'base64url'))).toBe(
      true,
    );
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      iss: account.client_email,
      aud: account.token_uri,
    });
    expect(api.requests.at(-1)?.headers.authorization).toBe('Bearer of-the-account');
  });
});

describe('gcp_iit refuses', () => {
  const denied = (message: string) => ({ code: 'permission-denied', message: expect.stringContaining(message) });

  it.each([
    ['another project', engine({ project_id: 'other-project' }), 'not in the allow list'],
    ['another audience', { aud: 'https://other.test' }, 'another audience'],
    ['another issuer', { iss: 'https://accounts.google.com.evil.test' }, 'not from Google'],
    ['a service account token of no instance', { google: undefined }, 'nothing of an instance'],
    ['an end that has passed', { exp: NOW - 60 }, 'expired'],
    ['no end', { exp: undefined }, 'expired'],
    ['a beginning to come', { iat: NOW + 61 }, 'not valid yet'],
    ['a project that leads elsewhere', engine({ project_id: '../../x' }), 'no usable project_id'],
    ['an instance name that leads elsewhere', engine({ instance_name: 'a/../b' }), 'no usable instance_name'],
    ['an instance ID that is none', engine({ instance_id: 'x' }), 'no usable instance_id'],
  ])('%s', async (_name, claims, message) => {
    const { judge } = await server();
    await expect(judge(tokenOf(claims))).rejects.toMatchObject(denied(message));
  });

  it('a token that Google did not sign, or names another key', async () => {
    const { judge, api } = await server();
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const unsigned = { code: 'invalid-argument', message: expect.stringContaining('signature') };
    await expect(judge(tokenOf({}, { key: privateKey }))).rejects.toMatchObject(unsigned);
    await expect(judge(tokenOf({}, { header: { kid: 'other' } }))).rejects.toMatchObject(unsigned);
    await expect(judge(tokenOf({}, { header: { alg: 'none' } }))).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(judge(`${tokenOf().slice(0, -4)}AAAA`)).rejects.toMatchObject(unsigned);
    // Unknown keys do not make it ask Google for each token.
    expect(api.requests).toHaveLength(1);
    place.now += 61;
    await expect(judge(tokenOf({}, { header: { kid: 'other' } }))).rejects.toMatchObject(unsigned);
    expect(api.requests).toHaveLength(2);
  });

  it('everybody while the keys cannot be had, and takes them as JWK set too', async () => {
    let answer = (): ReturnType<typeof certificates> => ({ status: 500 });
    const google = await listenAsGoogle({}, { '/oauth2/v1/certs': () => answer() });
    const { judge } = await server({}, google);
    await expect(judge(tokenOf())).rejects.toMatchObject({ code: 'unavailable' });
    answer = () => '{"keys":[{"kty":"RSA"}]}';
    await expect(judge(tokenOf())).rejects.toMatchObject({ code: 'unavailable' });
    const jwk = { ...SIGNER.key.export({ format: 'jwk' }), kid: SIGNER.kid };
    answer = () => JSON.stringify({ keys: [{ kty: jwk.kty, n: jwk.n, e: jwk.e, kid: jwk.kid }] });
    await judge(tokenOf());
  });

  it('an instance whose name another one has by now, and metadata that is too long', async () => {
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', '');
    const metadata = await listenAsMetadataServer();
    open.push(metadata);
    vi.stubEnv('GCE_METADATA_HOST', new URL(metadata.address).host);
    const config = { use_instance_metadata: true, allowed_metadata_keys: ['role'] };
    const reborn = await server(config, await listenAsGoogle({ id: '1' }));
    await expect(reborn.judge(tokenOf())).rejects.toMatchObject(denied('another instance'));
    const long = { metadata: { items: [{ key: 'role', value: 'x'.repeat(129) }] } };
    const talkative = await server(config, await listenAsGoogle(long));
    await expect(talkative.judge(tokenOf())).rejects.toMatchObject(denied('max_metadata_value_size'));
    const roomy = await server({ ...config, max_metadata_value_size: 129 }, await listenAsGoogle(long));
    expect((await roomy.judge(tokenOf())).selectors).toHaveLength(7);
  });

  it.each([
    {},
    { projectid_allow_list: [] },
    { projectid_allow_list: ['p'], project_ids: ['p'] },
    { projectid_allow_list: ['p'], google_certs_url: 'ftp://x' },
    { projectid_allow_list: ['p'], compute_endpoint: 'http://a.test/path' },
  ])('the configuration %j', (config) => {
    expect(gcpIitVerifier.schema.safeParse(config).success).toBe(false);
  });

  it.each([{ identity_token_host: 'a.test/path' }, { service_account: '../token?x=' }, { audience: 'x' }])(
    "the agent's configuration %j",
    (config) => {
      expect(gcpIitProver.schema.safeParse(config).success).toBe(false);
    },
  );

  it('to attest where there is no metadata server, and says so', async () => {
    const { prover } = await agent({ identity_token_host: '127.0.0.1:1' });
    const proving = prover.prove(new ChannelPair().agent, signal);
    await expect(proving).rejects.toMatchObject({
      code: 'failed-precondition',
      message: expect.stringContaining('gcp_iit'),
    });
  });
});

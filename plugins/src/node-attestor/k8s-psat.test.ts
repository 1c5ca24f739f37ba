import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChannelPair } from './channel-for-tests.ts';
import { CLAIMS, ISSUER, NODE, NOW, POD } from './k8s-psat/cluster.fixture.ts';
import { PsatWorld } from './k8s-psat/psat-world.fixture.ts';
import { nodeAttestorContract } from './node-attestor.contract.ts';

const REVIEW = '/apis/authentication.k8s.io/v1/tokenreviews';
const POD_PATH = '/api/v1/namespaces/spire/pods/agent-1';
const NODE_PATH = '/api/v1/nodes/node-1';

let world: PsatWorld;
beforeAll(async () => {
  world = await PsatWorld.open();
});
afterAll(() => world[Symbol.asyncDispose]());

const JWKS = { token_validation: 'jwks' };
const WITHOUT_API = { ...JWKS, pod_lookup: false };

describe.each([
  ['token_review', {}],
  ['jwks', JWKS],
  ['jwks alone', WITHOUT_API],
])('k8s_psat by %s', (_name, mode) => {
  nodeAttestorContract(async () => ({
    prover: await world.prover(world.cluster.token()),
    verifier: await world.verifier(mode),
  }));

  it.each<[string, Record<string, unknown>, string]>([
    ['expired', { exp: NOW }, 'expired'],
    ['for somebody else', { aud: ['vault'] }, 'audience'],
    [
      'of another service account',
      {
        sub: 'system:serviceaccount:spire:other',
        'kubernetes.io': { ...CLAIMS['kubernetes.io'], serviceaccount: { name: 'other' } },
      },
      '"spire:other" is not an allowed service account',
    ],
    [
      'of the same name elsewhere',
      {
        sub: 'system:serviceaccount:default:spire-agent',
        'kubernetes.io': { ...CLAIMS['kubernetes.io'], namespace: 'default' },
      },
      '"default:spire-agent" is not an allowed service account',
    ],
    ['of a user', { sub: 'spire:spire-agent' }, 'not a service account token'],
    ['of no pod', { 'kubernetes.io': { ...CLAIMS['kubernetes.io'], pod: undefined } }, 'not bound to a pod'],
  ])('refuses a token %s', async (_what, claims, message) => {
    await expect(world.attest(world.cluster.token(claims), mode)).rejects.toMatchObject({
      code: 'permission-denied',
      message: expect.stringMatching(new RegExp(`${message}.*cluster "demo"`)),
    });
  });
});

describe('k8s_psat', () => {
  it('tells what SPIRE tells, under the node’s ID', async () => {
    const found = await world.attest(world.cluster.token(), {
      allowed_node_label_keys: ['zone', 'none'],
      allowed_pod_label_keys: ['app'],
    });
    expect(found).toEqual({
      path: '/spire/agent/k8s_psat/demo/node-uid',
      selectors: [
        'cluster:demo',
        'agent_ns:spire',
        'agent_sa:spire-agent',
        'agent_pod_name:agent-1',
        'agent_pod_uid:pod-uid',
        'agent_node_ip:192.0.2.10',
        'agent_node_name:node-1',
        'agent_node_uid:node-uid',
        'agent_node_label:zone:a',
        'agent_pod_label:app:agent',
      ],
    });
    expect((await world.attest(world.cluster.token(), { use_pod_uid_for_agent_id: true })).path).toBe(
      '/spire/agent/k8s_psat/demo/pod/pod-uid',
    );
  });

  it('needs nobody when the token says everything', async () => {
    await world.put('jwks', JSON.stringify(world.cluster.jwks));
    const before = world.cluster.asked.length;
    const { path, selectors } = await world.attest(world.cluster.token(), {
      ...WITHOUT_API,
      jwks_file: world.path('jwks'),
      issuer: ISSUER,
    });
    expect(path).toBe('/spire/agent/k8s_psat/demo/node-uid');
    expect(selectors).not.toContainEqual(expect.stringContaining('agent_node_ip'));
    expect(world.cluster.asked.length).toBe(before);
    const old = world.cluster.token({ 'kubernetes.io': { ...CLAIMS['kubernetes.io'], node: undefined } });
    await expect(world.attest(old, WITHOUT_API)).rejects.toThrow('Kubernetes 1.32');
    expect((await world.attest(old, JWKS)).path).toBe('/spire/agent/k8s_psat/demo/node-uid');
  });

  it.each<[string, string, unknown, string]>([
    ['the pod is gone', POD_PATH, 404, 'pod "agent-1" does not exist any more'],
    [
      'another pod has its name',
      POD_PATH,
      { ...POD, metadata: { ...POD.metadata, uid: 'new' } },
      'pod UID mismatch for pod "agent-1"',
    ],
    ['the pod has ended', POD_PATH, { ...POD, status: { phase: 'Failed' } }, 'has ended'],
    [
      'the pod is somebody else’s',
      POD_PATH,
      { ...POD, spec: { ...POD.spec, serviceAccountName: 'other' } },
      'another service account',
    ],
    ['the pod is nowhere', POD_PATH, { ...POD, spec: { serviceAccountName: 'spire-agent' } }, 'is on no node'],
    ['the node is gone', NODE_PATH, 404, 'node "node-1" does not exist any more'],
    [
      'the node was made anew',
      NODE_PATH,
      { metadata: { ...NODE.metadata, uid: 'new' } },
      'another node than its token says',
    ],
    [
      'nobody looked at the audience',
      REVIEW,
      { status: { authenticated: true, user: { username: CLAIMS.sub } } },
      'did not confirm the audience',
    ],
    ['the review says nothing', REVIEW, { status: {} }, 'token not authenticated according to TokenReview API'],
  ])('refuses a token when %s', async (_name, path, answer, message) => {
    await world.answering(path, answer, () =>
      expect(world.attest(world.cluster.token())).rejects.toMatchObject({
        code: 'permission-denied',
        message: expect.stringContaining(message),
      }),
    );
  });

  it.each<[string, string, unknown, string]>([
    ['may not ask', REVIEW, 403, 'internal'],
    ['gets nonsense', POD_PATH, [1], 'internal'],
  ])('tells the operator, not the agent, when it %s', async (_name, path, answer, code) => {
    await world.answering(path, answer, async () => {
      await expect(world.attest(world.cluster.token())).rejects.toMatchObject({
        code,
        message: 'the API of cluster "demo" cannot be asked about the token',
      });
      expect(world.logger.records).toContainEqual(
        expect.objectContaining({ level: 'error', fields: expect.objectContaining({ cluster: 'demo' }) }),
      );
    });
  });

  it.each([
    ['192.0.2.10', true],
    ['::ffff:192.0.2.10', true],
    ['10.0.0.5', true],
    ['fd00:0::5', true],
    ['192.0.2.11', false],
    [undefined, false],
  ])('takes a token that comes from %s: %s, if it looks at the address', async (address, taken) => {
    const attesting = world.attest(world.cluster.token(), { verify_client_ip: true }, address);
    if (taken) await expect(attesting).resolves.toMatchObject({ path: '/spire/agent/k8s_psat/demo/node-uid' });
    else await expect(attesting).rejects.toMatchObject({ code: 'permission-denied' });
  });

  it('sends exactly what SPIRE sends', async () => {
    const pair = new ChannelPair();
    const prover = await world.prover('a.b.c\n', 'my-cluster');
    await prover.prove(pair.agent, new AbortController().signal);
    expect(Buffer.from(pair.said[0]?.data ?? []).toString()).toBe('{"cluster":"my-cluster","token":"a.b.c"}');
  });

  it.each([
    ['missing', async () => rm(world.path('token')), 'ENOENT'],
    ['empty', async () => world.put('token', '\n'), 'it is empty'],
  ])('says that its token is %s', async (_name, spoil, message) => {
    const prover = await world.prover('x');
    await spoil();
    await expect(prover.prove(new ChannelPair().agent, new AbortController().signal)).rejects.toMatchObject({
      code: 'failed-precondition',
      message: expect.stringContaining(message),
    });
  });
});

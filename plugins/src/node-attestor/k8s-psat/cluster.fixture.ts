import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

type Json = Readonly<Record<string, unknown>>;

/** A cluster of a test: one pod on one node, and an API that judges tokens as Kubernetes does. */
export interface TestCluster extends AsyncDisposable {
  readonly url: string;
  readonly asked: readonly string[];
  /** Signed by the cluster's key, for the pod; claims may be replaced. */
  token(claims?: Json, kid?: string, key?: KeyObject): string;
  /** Answers by path instead of the usual ones; a number is a status. */
  readonly answers: Map<string, unknown>;
  readonly jwks: { keys: Json[] };
  readonly kubeconfig: string;
}

export const ISSUER = 'https://kubernetes.default.svc.cluster.local';
export const NOW = 1_893_456_000;
export const POD = {
  metadata: { name: 'agent-1', namespace: 'spire', uid: 'pod-uid', labels: { app: 'agent', secret: 'x' } },
  spec: { nodeName: 'node-1', serviceAccountName: 'spire-agent' },
  status: {
    phase: 'Running',
    hostIP: '192.0.2.10',
    podIP: '10.0.0.5',
    podIPs: [{ ip: '10.0.0.5' }, { ip: 'fd00::5' }],
  },
};
export const NODE = { metadata: { name: 'node-1', uid: 'node-uid', labels: { zone: 'a', rack: '7' } } };
export const CLAIMS = {
  iss: ISSUER,
  sub: 'system:serviceaccount:spire:spire-agent',
  aud: ['spire-server'],
  exp: NOW + 600,
  iat: NOW - 5,
  nbf: NOW - 5,
  'kubernetes.io': {
    namespace: 'spire',
    pod: { name: 'agent-1', uid: 'pod-uid' },
    serviceaccount: { name: 'spire-agent', uid: 'sa-uid' },
    node: { name: 'node-1', uid: 'node-uid' },
  },
};

export async function testCluster(): Promise<TestCluster> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwks = { keys: [{ use: 'sig', alg: 'RS256', kid: 'key-1', ...publicKey.export({ format: 'jwk' }) }] as Json[] };
  const answers = new Map<string, unknown>();
  const asked: string[] = [];
  const usual = new Map<string, (body: string) => unknown>([
    ['/apis/authentication.k8s.io/v1/tokenreviews', (body) => ({ status: review(JSON.parse(body) as Json) })],
    ['/api/v1/namespaces/spire/pods/agent-1', () => POD],
    ['/api/v1/nodes/node-1', () => NODE],
    ['/.well-known/openid-configuration', () => ({ issuer: ISSUER })],
    ['/openid/v1/jwks', () => jwks],
  ]);
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const answer = answers.has(path) ? answers.get(path) : usual.get(path)?.(Buffer.concat(parts).toString());
      const status = typeof answer === 'number' ? answer : answer === undefined ? 404 : 200;
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(status === 200 ? answer : { kind: 'Status', code: status, message: 'no' }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    asked,
    answers,
    jwks,
    token: (claims = {}, kid = 'key-1', key = privateKey) => signed({ ...CLAIMS, ...claims }, kid, key),
    kubeconfig: JSON.stringify({
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
      clusters: [{ name: 'c', cluster: { server: url } }],
      users: [{ name: 'u', user: { token: 'of-the-server' } }],
    }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function signed(claims: Json, kid: string, key: KeyObject): string {
  const part = (value: Json) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'RS256', kid })}.${part(claims)}`;
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
}

/** As the API does it, without looking at the signature. */
function review({ spec }: Json): Json {
  const { token, audiences } = spec as { token: string; audiences?: string[] };
  const [, payload = ''] = token.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as typeof CLAIMS;
  if (claims.exp <= NOW) return { error: '[invalid bearer token, service account token has expired]' };
  const matching = (audiences ?? [ISSUER]).filter((one) => claims.aud.includes(one));
  if (matching.length === 0) {
    return {
      error: `[invalid bearer token, token audiences ${JSON.stringify(claims.aud)} is invalid for the target audiences]`,
    };
  }
  const { pod, node } = claims['kubernetes.io'] as Partial<(typeof CLAIMS)['kubernetes.io']>;
  const extra = {
    ...(pod && { 'pod-name': pod.name, 'pod-uid': pod.uid }),
    ...(node && { 'node-name': node.name, 'node-uid': node.uid }),
  };
  const prefixed = Object.entries(extra).map(([key, value]) => [`authentication.kubernetes.io/${key}`, [value]]);
  return {
    authenticated: true,
    audiences: matching,
    user: { username: claims.sub, extra: Object.fromEntries(prefixed) as Json },
  };
}

// A server that signs pod certificates, against a cluster in memory: what is granted, and every reason why not.
import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { agentV1, entryV1 } from '@steeple/proto/server-api';
import { BundleSet, parseCertificatesPem, spkiOf, verifyX509Svid } from '@steeple/spiffe';
import { type TempDir, tempDir } from '@steeple/test-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeCluster, type FakeObject } from './testing/fake-cluster.ts';
import { idOf, TestServer } from './testing/test-server.ts';

const REQUESTS = 'podcertificaterequests';
const SIGNER = 'steeple.dev/x509-svid';

let cluster: FakeCluster;
let server: TestServer;
let dir: TempDir;

const poll = <T>(look: () => T | Promise<T>) => expect.poll(look, { timeout: 10_000 });

beforeEach(async () => {
  dir = await tempDir();
  cluster = await FakeCluster.start();
  cluster.put('nodes', { metadata: { name: 'node1', uid: 'n-1' } });
  cluster.put('namespaces', { metadata: { name: 'shop', labels: { team: 'a' } } });
  cluster.put('pods', {
    metadata: { name: 'web', namespace: 'shop', uid: 'p-1', labels: { app: 'web' } },
    spec: { nodeName: 'node1', serviceAccountName: 'robot' },
    status: { phase: 'Pending', containerStatuses: [{ name: 'main', image: 'claimed', imageID: '' }] },
  });
  await writeFile(dir.join('kubeconfig'), cluster.kubeconfig);
  await start();
});

/** With more of the block `kubernetes`. */
const start = async (more: object = {}): Promise<void> => {
  await server?.[Symbol.asyncDispose]();
  const kubernetes = { cluster_name: 'c1', kube_config_file: dir.join('kubeconfig'), pod_certificates: {}, ...more };
  server = await TestServer.start({}, {}, { kubernetes });
};

afterEach(async () => {
  await server?.[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
  await dir[Symbol.asyncDispose]();
});

const register = async (path: string, selectors: readonly string[], more: object = {}): Promise<void> => {
  const { results } = await server.admin(entryV1.Entry).batchCreateEntry({
    entries: [
      {
        spiffeId: idOf(path),
        parentId: idOf('/spire/agent/k8s_psat/c1/n-1'),
        selectors: selectors.map((value) => ({ type: 'k8s', value })),
        ...more,
      },
    ],
  });
  expect(results[0]?.status?.code).toBe(0);
};

const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const proofBy = (privateKey: KeyObject, over = 'p-1'): string => base64(sign('sha256', Buffer.from(over), privateKey));

const ask = (name: string, more: object = {}): void => {
  const spec = {
    signerName: SIGNER,
    podName: 'web',
    podUID: 'p-1',
    serviceAccountName: 'robot',
    serviceAccountUID: 's-1',
    nodeName: 'node1',
    nodeUID: 'n-1',
    maxExpirationSeconds: 86_400,
    pkixPublicKey: base64(spkiOf(key)),
    proofOfPossession: proofBy(key),
    ...more,
  };
  cluster.put(REQUESTS, { metadata: { name, namespace: 'shop', uid: `r-${name}` }, spec });
};

interface Status {
  readonly certificateChain?: string;
  readonly notBefore?: string;
  readonly notAfter?: string;
  readonly beginRefreshAt?: string;
  readonly conditions?: readonly { readonly type: string; readonly reason: string; readonly message: string }[];
}
const statusOf = async (name: string): Promise<Status> => {
  await poll(() => cluster.get(REQUESTS, name, 'shop')?.['status']).toBeDefined();
  return (cluster.get(REQUESTS, name, 'shop') as FakeObject)['status'] as Status;
};
const seconds = (text = ''): number => Date.parse(text) / 1000;

describe('pod certificates', () => {
  it.each([
    ['node, namespace and account', ['ns:shop', 'sa:robot', 'node-name:node1']],
    ['labels', ['pod-label:app:web', 'ns-label:team:a']],
    ['the pod itself', ['pod-uid:p-1', 'pod-name:web']],
  ])('are given by %s', async (_, selectors) => {
    await register('/web', selectors, { dnsNames: ['web.example.org'], x509SvidTtl: 7200 });
    ask('one');
    const status = await statusOf('one');
    expect(status.conditions).toMatchObject([{ type: 'Issued' }]);
    const chain = parseCertificatesPem(status.certificateChain ?? '');
    const { id } = verifyX509Svid(chain, BundleSet.of(await server.bundle()), { now: Date.now() / 1000 });
    expect(id.path).toBe('/web');
    const [leaf] = chain;
    expect([seconds(status.notBefore), seconds(status.notAfter)]).toEqual([leaf?.notBefore, leaf?.notAfter]);
    expect(seconds(status.notAfter) - seconds(status.notBefore)).toBe(7210);
    expect(seconds(status.beginRefreshAt)).toBe(seconds(status.notBefore) + 3605);
  });

  it.each([
    ['ed25519', () => generateKeyPairSync('ed25519').privateKey],
    ['rsa', () => generateKeyPairSync('rsa', { modulusLength: 3072 }).privateKey],
    ['P-384', () => generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey],
  ])('are given for a key of %s, and live no longer than asked', async (_, make) => {
    await register('/web', ['ns:shop'], { x509SvidTtl: 86_400 });
    const other = make();
    const pss = {
      key: other,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_MAX_SIGN,
    };
    const isEd = other.asymmetricKeyType === 'ed25519';
    const signer = other.asymmetricKeyType === 'rsa' ? pss : other;
    const proofOfPossession = base64(sign(isEd ? null : 'sha256', Buffer.from('p-1'), signer));
    ask('one', { pkixPublicKey: base64(spkiOf(other)), proofOfPossession, maxExpirationSeconds: 3600 });
    const { notBefore, notAfter, conditions } = await statusOf('one');
    expect(conditions).toMatchObject([{ type: 'Issued' }]);
    expect(seconds(notAfter) - seconds(notBefore)).toBe(3600);
  });

  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
  it.each([
    ['a proof by another key', { proofOfPossession: proofBy(stranger) }, 'InvalidProofOfPossession'],
    ['a proof over another pod', { proofOfPossession: proofBy(key, 'p-2') }, 'InvalidProofOfPossession'],
    ['a proof that is none', { proofOfPossession: 'AAAA' }, 'InvalidProofOfPossession'],
    ['no proof', { proofOfPossession: '' }, 'InvalidRequest'],
    ['a weak key', { pkixPublicKey: base64(spkiOf(weak)) }, 'UnsupportedKeyType'],
    ['no key', { pkixPublicKey: base64(Buffer.from('key')) }, 'UnsupportedKeyType'],
    ['a pod that is not there', { podName: 'gone' }, 'NotFound'],
    ['an earlier pod of the name', { podUID: 'p-0', proofOfPossession: proofBy(key, 'p-0') }, 'NotThePod'],
    ['another node than the pod has', { nodeName: 'node2', nodeUID: 'n-2' }, 'NotThePod'],
    ['an earlier node of the name', { nodeUID: 'n-0' }, 'NotThePod'],
    ['another service account', { serviceAccountName: 'admin' }, 'NotThePod'],
    ['a limit that is no number', { maxExpirationSeconds: '86400' }, 'InvalidRequest'],
  ])('are denied for %s', async (_, spec, reason) => {
    await register('/web', ['ns:shop']);
    ask('one', spec);
    const status = await statusOf('one');
    expect(status.conditions).toMatchObject([{ type: 'Denied', reason }]);
    expect(status.certificateChain).toBeUndefined();
  });

  it('are denied where the entry demands a life that Kubernetes does not take', async () => {
    await register('/web', ['ns:shop'], { x509SvidTtl: 600 });
    ask('one');
    expect((await statusOf('one')).conditions).toMatchObject([{ type: 'Denied', reason: 'LifetimeTooShort' }]);
  });

  it('wait for an entry, and take it as soon as it is there', async () => {
    ask('one');
    await poll(() => cluster.patches).toEqual([]);
    await register('/elsewhere', ['ns:other']);
    // Claimed by the pod itself, and nothing runs yet.
    await register('/image', ['pod-image:claimed']);
    await register('/stored', ['ns:shop'], { storeSvid: true });
    await register('/web', ['ns:shop']);
    const { certificateChain = '' } = await statusOf('one');
    expect(parseCertificatesPem(certificateChain)[0]?.uriSans).toEqual(['spiffe://example.org/web']);
  });

  it('are not given for the entries of another node', async () => {
    await register('/other', ['ns:shop'], { parentId: idOf('/spire/agent/k8s_psat/c1/n-2') });
    await register('/hinted', ['ns:shop'], { hint: 'internal', id: 'z' });
    ask('one');
    const { certificateChain = '' } = await statusOf('one');
    expect(parseCertificatesPem(certificateChain)[0]?.uriSans).toEqual(['spiffe://example.org/hinted']);
  });

  it('leave the requests of other signers, and those that were answered, alone', async () => {
    await register('/web', ['ns:shop']);
    ask('other', { signerName: 'example.org/other' });
    cluster.put(REQUESTS, {
      metadata: { name: 'done', namespace: 'shop', uid: 'r-done' },
      spec: { signerName: SIGNER },
      status: { conditions: [{ type: 'Failed', status: 'True' }] },
    });
    ask('one');
    await statusOf('one');
    expect(cluster.patches.map(({ path }) => path.split('/').at(-2))).toEqual(['one']);
  });

  it('end with the ban of the agent on the node', async () => {
    const parent_id_template = 'spiffe://{{ .TrustDomain }}/spire/agent/join_token/of-{{ .NodeMeta.Name }}';
    await start({ registrar: { parent_id_template } });
    const agents = server.admin(agentV1.Agent);
    await agents.createJoinToken({ ttl: 60, token: 'of-node1' });
    await server.attest('of-node1');
    const id = idOf('/spire/agent/join_token/of-node1');
    await register('/web', ['ns:shop'], { parentId: id });
    ask('one');
    expect((await statusOf('one')).conditions).toMatchObject([{ type: 'Issued' }]);
    await agents.banAgent({ id });
    ask('two');
    expect((await statusOf('two')).conditions).toMatchObject([{ type: 'Denied', reason: 'AgentBanned' }]);
  });
});

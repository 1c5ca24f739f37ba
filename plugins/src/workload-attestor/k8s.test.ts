import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '@steeple/daemon';
import { MemoryLogger } from '@steeple/test-kit';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { TestGroups } from './container/groups-for-tests.ts';
import { k8sSchema } from './k8s/configuration.ts';
import { KubeletAccess } from './k8s/kubelet-access.ts';
import { fakeKubelet, listing, podJson, UID } from './k8s/pods-for-tests.ts';
import { K8sAttestor } from './k8s.ts';
import { peerOf } from './peer-for-tests.ts';
import { workloadAttestorContract } from './workload-attestor.contract.ts';

const groups = new TestGroups();
afterEach(() => groups.kill());
afterAll(() => groups.remove());
const inGroups = describe.skipIf(!groups.canBeMade);
const { signal } = new AbortController();
const otherId = randomBytes(32).toString('hex');

function attestorAt(port: number, more: object = {}, logger = new MemoryLogger()): K8sAttestor {
  const fast = { poll_retry_interval: '10ms', max_poll_attempts: 4 };
  const config = k8sSchema.parse({ kubelet_read_only_port: port, ...fast, ...more });
  const access = new KubeletAccess(config, '', () => systemClock.monotonic());
  const namespaceLabels = { of: async (name: string) => ({ of: name }) };
  return new K8sAttestor({
    config,
    clock: systemClock,
    logger,
    access,
    namespaceLabels: config.enable_namespace_labels ? namespaceLabels : undefined,
  });
}

/** A process in a group that is called like a container of a pod. */
function inPod(uid = UID, id?: string): { pid: number; id: string } {
  const made = groups.create((fresh) => `kubepods/burstable/pod${uid}/${id ?? fresh}`);
  return { pid: groups.spawn(made.path), id: id ?? made.id };
}

describe('k8s', () => {
  // Nobody listens there: a process outside of containers is none of the kubelet's business.
  workloadAttestorContract(() => attestorAt(1));
});

inGroups('k8s with a process in a pod', () => {
  const valuesOf = async (attestor: K8sAttestor, pid: number) =>
    (await attestor.attest(peerOf(pid), signal)).map(({ value }) => value);

  it('tells the pod and the container', async () => {
    const { pid, id } = inPod();
    await using kubelet = await fakeKubelet(listing(() => [podJson({ main: id, side: otherId })]));
    const pod = [
      'sa:web',
      'ns:shop',
      'node-name:node1',
      `pod-uid:${UID}`,
      'pod-name:web-1',
      'pod-image-count:2',
      'pod-init-image-count:0',
      'pod-image:docker.io/library/web@sha256:aa',
      'pod-image:docker.io/library/web:1',
      'pod-label:app:web',
      'pod-owner:ReplicaSet:web',
      'pod-owner-uid:ReplicaSet:owner-uid',
    ];
    expect(await valuesOf(attestorAt(kubelet.port), pid)).toEqual([
      ...pod,
      'container-name:main',
      'container-image:docker.io/library/web@sha256:aa',
      'container-image:docker.io/library/web:1',
    ]);
    expect(await valuesOf(attestorAt(kubelet.port, { disable_container_selectors: true }), pid)).toEqual(pod);
    const labelled = await valuesOf(attestorAt(kubelet.port, { enable_namespace_labels: true }), pid);
    expect(labelled.at(-1)).toBe('ns-label:of:shop');
  });

  it('waits for a container that the kubelet does not know yet', async () => {
    const { pid, id } = inPod();
    let asked = 0;
    await using kubelet = await fakeKubelet(listing(() => [podJson({ main: ++asked < 3 ? '' : id })]));
    expect(await valuesOf(attestorAt(kubelet.port), pid)).toContain('container-name:main');
    expect(asked).toBe(3);
  });

  it('asks no more about a pod of which everything is known, and again about one that is being started', async () => {
    const { pid, id } = inPod();
    let asked = 0;
    let side = '';
    await using kubelet = await fakeKubelet(
      listing(() => {
        asked += 1;
        return [podJson({ main: id, side })];
      }),
    );
    const attestor = attestorAt(kubelet.port);
    const images = async () => (await valuesOf(attestor, pid)).filter((value) => value.startsWith('pod-image:'));
    expect(await images()).toEqual(expect.arrayContaining(['pod-image:']));
    side = otherId;
    await delay(20);
    expect(await images()).not.toContain('pod-image:');
    const before = asked;
    await delay(20);
    for (let round = 0; round < 5; round++) await images();
    expect(asked).toBe(before);
  });

  it('gives a forged group nothing, also where the pod is enough', async () => {
    const { pid } = inPod();
    await using kubelet = await fakeKubelet(listing(() => [podJson({ main: otherId })]));
    for (const more of [{}, { disable_container_selectors: true }])
      await expect(valuesOf(attestorAt(kubelet.port, more), pid)).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('is content with the pod while a container of it is being started, if told so', async () => {
    const { pid } = inPod();
    await using kubelet = await fakeKubelet(listing(() => [podJson({ main: otherId, side: '' })]));
    expect(await valuesOf(attestorAt(kubelet.port, { disable_container_selectors: true }), pid)).toContain('ns:shop');
    await expect(valuesOf(attestorAt(kubelet.port), pid)).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('refuses a container that the kubelet has in another pod', async () => {
    const { pid, id } = inPod('00000000-b29f-11e7-9350-020968147796');
    await using kubelet = await fakeKubelet(listing(() => [podJson({ main: id })]));
    await expect(valuesOf(attestorAt(kubelet.port), pid)).rejects.toMatchObject({ code: 'failed-precondition' });
  });

  it('refuses a container that two pods have', async () => {
    const { pid, id } = inPod();
    const pods = [podJson({ main: id }), podJson({ main: id }, { uid: 'other' })];
    await using kubelet = await fakeKubelet(listing(() => pods));
    await expect(valuesOf(attestorAt(kubelet.port), pid)).rejects.toMatchObject({ code: 'internal' });
  });

  it('refuses a container that was added to look into a pod, at once', async () => {
    const { pid, id } = inPod();
    let asked = 0;
    const status = { ephemeralContainerStatuses: [{ name: 'debugger', containerID: `containerd://${id}` }] };
    await using kubelet = await fakeKubelet(
      listing(() => {
        asked += 1;
        return [podJson({ main: otherId }, { status })];
      }),
    );
    await expect(valuesOf(attestorAt(kubelet.port), pid)).rejects.toMatchObject({ code: 'failed-precondition' });
    expect(asked).toBe(1);
  });

  it('has nothing to say of a container of another engine, and asks once', async () => {
    const { path } = groups.create((id) => `docker/${id}`);
    const pid = groups.spawn(path);
    let asked = 0;
    await using kubelet = await fakeKubelet(
      listing(() => {
        asked += 1;
        return [podJson({ main: otherId })];
      }),
    );
    expect(await valuesOf(attestorAt(kubelet.port), pid)).toEqual([]);
    expect(asked).toBe(1);
  });

  it('gives nothing to a process that ends while the kubelet is asked', async () => {
    const { pid, id } = inPod();
    const peer = peerOf(pid);
    await using kubelet = await fakeKubelet(
      listing(() => {
        process.kill(pid, 'SIGKILL');
        while (peer.isAlive());
        return [podJson({ main: id })];
      }),
    );
    const answer = attestorAt(kubelet.port).attest(peer, signal);
    await expect(answer).rejects.toMatchObject({ code: 'permission-denied' });
  });

  it('leaves nothing open, however often it is asked', async () => {
    const { pid, id } = inPod();
    const forged = inPod();
    await using kubelet = await fakeKubelet(listing(() => [podJson({ main: id })]));
    const attestor = attestorAt(kubelet.port, { max_poll_attempts: 1, poll_retry_interval: '1ms' });
    const count = () => readdirSync('/proc/self/fd').length;
    await valuesOf(attestor, pid);
    const before = count();
    for (let round = 0; round < 50; round++) {
      await valuesOf(attestor, pid);
      await expect(valuesOf(attestor, forged.pid)).rejects.toThrow('does not know');
    }
    expect(count()).toBe(before);
  });

  it('logs once why the kubelet does not tell its pods', async () => {
    const { pid } = inPod();
    const logger = new MemoryLogger();
    await using kubelet = await fakeKubelet((_, response) => response.writeHead(503).end());
    await expect(valuesOf(attestorAt(kubelet.port, {}, logger), pid)).rejects.toThrow('the kubelet answered 503');
    expect(logger.records).toEqual([
      expect.objectContaining({ level: 'warn', fields: { reason: 'the kubelet answered 503' } }),
    ]);
  });
});

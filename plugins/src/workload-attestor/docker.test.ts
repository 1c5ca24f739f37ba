import { readdirSync } from 'node:fs';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestGroups } from './container/groups-for-tests.ts';
import { containerJson, FakeEngine, says } from './docker/fake-engine-for-tests.ts';
import { settingsSchema } from './docker/settings.ts';
import { DockerAttestor, type DockerAttestorOptions } from './docker.ts';
import { peerOf } from './peer-for-tests.ts';
import { workloadAttestorContract } from './workload-attestor.contract.ts';

const groups = new TestGroups();
const { signal } = new AbortController();
const pauses: number[] = [];
const logged: unknown[] = [];
let fake: FakeEngine;
beforeEach(async () => {
  fake = new FakeEngine();
  await fake.listen();
});
afterEach(async () => {
  groups.kill();
  pauses.length = 0;
  await fake[Symbol.asyncDispose]();
});
afterAll(() => groups.remove());

function attestor(settings: object = {}, options: Partial<DockerAttestorOptions> = {}): DockerAttestor {
  const sockets = { docker_socket_path: `unix://${fake.socketPath}`, podman_socket_path: 'unix:///nonexistent/p.sock' };
  return new DockerAttestor({
    ...settingsSchema.parse({ ...sockets, ...settings }),
    clock: { sleep: async (seconds) => void pauses.push(seconds) },
    logger: { debug: (...line) => void logged.push(line) },
    ...options,
  });
}

const values = async (pid: number, settings?: object) =>
  (await attestor(settings).attest(peerOf(pid), signal)).map(({ value }) => value);

describe('docker', () => {
  workloadAttestorContract(() => attestor());

  it('asks nobody about a process in no container', async () => {
    expect(await values(groups.spawn())).toEqual([]);
    expect(fake.asked).toEqual([]);
  });
});

describe.skipIf(!groups.canBeMade)('docker, with real control groups,', () => {
  it('tells what the engine knows', async () => {
    const { id, path } = groups.create();
    const pid = groups.spawn(path);
    const config = {
      Labels: { 'com.example.app': 'web', 'a:b': '' },
      Env: ['A=1', 'B=x=y', 'A=1', 'C'],
      Image: 'shop/web:1',
    };
    fake.answer(says(200, containerJson(id, pid, config)));
    expect(await values(pid)).toEqual([
      'label:com.example.app:web',
      'label:a:b:',
      'env:A=1',
      'env:B=x=y',
      'env:C',
      'image_id:shop/web:1',
      `image_config_digest:sha256:${'ab'.repeat(32)}`,
    ]);
    fake.answer(says(200, containerJson(id, pid, { Image: '' }, { Image: 'x' })));
    expect(await values(pid)).toEqual([]);
  });

  it('counts every process of the container, wherever it has put itself inside', async () => {
    const { id, path } = groups.create();
    const first = groups.spawn(path);
    const inner = groups.create(() => `${id}/app.service`);
    fake.answer(says(200, containerJson(id, first)));
    expect(await values(groups.spawn(path))).toContain('image_id:shop/web:1');
    expect(await values(groups.spawn(inner.path))).toContain('image_id:shop/web:1');
    groups.move(first, groups.create(() => `${id}/init.scope`).path);
    expect(await values(groups.spawn(inner.path))).toContain('image_id:shop/web:1');
  });

  it('gives nothing to a process in a group that is only called like a container', async () => {
    const victim = groups.create();
    const first = groups.spawn(victim.path);
    fake.answer(says(200, containerJson(victim.id, first, { Env: ['PASSWORD=x'] })));
    const forged = [
      groups.create(() => `mine/docker-${victim.id}.scope`),
      groups.create(() => `mine/${victim.id}`),
      groups.create((id) => `${id}/${victim.id}`),
    ];
    for (const { path } of forged) {
      await expect(values(groups.spawn(path))).rejects.toMatchObject({ code: 'failed-precondition' });
    }
    const login = groups.create(() => `user.slice/user-1000.slice/docker-${victim.id}.scope`);
    await expect(values(groups.spawn(login.path))).rejects.toMatchObject({ code: 'failed-precondition' });
  });

  it('gives nothing to a container in the groups of a pod, unless it is of that pod', async () => {
    const uid = '1b7c7f5e-1d53-4d2b-8a51-0f3f0a5c9d11';
    const { id, path } = groups.create((each) => `kubepods/burstable/pod${uid}/${each}`);
    const pid = groups.spawn(path);
    for (const Labels of [null, { 'io.kubernetes.pod.uid': 'other' }]) {
      fake.answer(says(200, containerJson(id, pid, { Labels })));
      await expect(values(pid)).rejects.toMatchObject({ code: 'failed-precondition', message: /pod/ });
    }
    fake.answer(says(200, containerJson(id, pid, { Labels: { 'io.kubernetes.pod.uid': uid } })));
    expect(await values(pid)).toContain(`label:io.kubernetes.pod.uid:${uid}`);
  });

  it('waits for an engine that has not recorded yet that the container runs', async () => {
    const { id, path } = groups.create();
    const pid = groups.spawn(path);
    let calls = 0;
    fake.answer((request, response) => {
      calls += 1;
      const state = { State: calls < 4 ? { Running: calls > 1, Pid: 0 } : { Running: true, Pid: pid } };
      says(200, containerJson(id, pid, {}, state))(request, response);
    });
    expect(await values(pid)).toContain('image_id:shop/web:1');
    expect(pauses).toEqual([0.1, 0.2, 0.4]);
  });

  it.each([
    [
      'does not run',
      (id: string, pid: number) => says(200, containerJson(id, pid, {}, { State: { Running: false, Pid: pid } })),
    ],
    ['has a first process that is gone', (id: string) => says(200, containerJson(id, 2 ** 22))],
    ['is with an engine that is broken', () => says(500, 'x')],
  ])('gives up on a container that %s', async (_, answer) => {
    const { id, path } = groups.create();
    const pid = groups.spawn(path);
    fake.answer(answer(id, pid));
    await expect(values(pid)).rejects.toMatchObject({ code: 'internal' });
    expect(pauses).toEqual([0.1, 0.2, 0.4]);
  });

  it.each([
    ['is unknown', () => says(404, { message: 'no' })],
    [
      'has the first process of another',
      (id: string) => says(200, containerJson(id, groups.spawn(groups.create().path))),
    ],
    ['has a first process outside', (id: string) => says(200, containerJson(id, process.pid))],
  ])('does not ask again about a container that %s', async (_, answer) => {
    const { id, path } = groups.create();
    const pid = groups.spawn(path);
    fake.answer(answer(id));
    await expect(values(pid)).rejects.toMatchObject({ code: 'failed-precondition' });
    expect(pauses).toEqual([]);
  });

  it('finds no engine', async () => {
    const pid = groups.spawn(groups.create().path);
    const settings = { docker_socket_path: 'unix:///nonexistent/docker.sock' };
    await expect(values(pid, settings)).rejects.toThrow('there is no engine at /nonexistent/docker.sock');
    const podman = groups.spawn(groups.create((id) => `libpod-${id}.scope/container`).path);
    await expect(values(podman)).rejects.toThrow('/nonexistent/p.sock');
  });

  it('gives nothing to a process that moves while the engine thinks', async () => {
    const { id, path } = groups.create();
    const pid = groups.spawn(path);
    fake.answer((request, response) => {
      groups.move(pid, groups.create().path);
      says(200, containerJson(id, groups.spawn(path)))(request, response);
    });
    await expect(values(pid)).rejects.toMatchObject({ code: 'internal', message: expect.stringContaining('changed') });
  });

  it('leaves a slow engine when its time is over', async () => {
    const pid = groups.spawn(groups.create().path);
    fake.answer(() => {});
    const controller = new AbortController();
    const attesting = attestor().attest(peerOf(pid), controller.signal);
    attesting.catch(() => undefined);
    await expect.poll(() => fake.asked.length).toBe(2);
    controller.abort(new Error('deadline'));
    await expect(attesting).rejects.toThrow('deadline');
  });

  it('finds containers by patterns too, and believes them no more', async () => {
    const settings = { container_id_cgroup_matchers: ['/*/named/<id>'], use_new_container_locator: false };
    const { path, id } = groups.create((each) => `named/${each}`);
    const pid = groups.spawn(path);
    fake.answer(says(200, containerJson(id, pid)));
    expect(await values(pid, settings)).toContain('image_id:shop/web:1');
    fake.answer(says(200, containerJson(id, process.pid)));
    await expect(values(pid, settings)).rejects.toMatchObject({ code: 'failed-precondition' });
  });

  it('logs where it found a container on demand, and never what it is told', async () => {
    const { id, path } = groups.create();
    const pid = groups.spawn(path);
    fake.answer(says(200, containerJson(id, pid, { Env: ['PASSWORD=hunter2'] })));
    await values(pid);
    expect(logged).toEqual([]);
    await values(pid, { verbose_container_locator_logs: true });
    expect(JSON.stringify(logged)).toContain(id);
    expect(JSON.stringify(logged)).not.toContain('hunter2');
  });

  it('leaves nothing open', async () => {
    const { id, path } = groups.create();
    const pid = groups.spawn(path);
    fake.answer(says(200, containerJson(id, pid)));
    await values(pid);
    await expect.poll(() => fake.connections).toBe(0);
    const before = readdirSync('/proc/self/fd').length;
    for (let n = 0; n < 50; n++) await values(pid);
    await expect.poll(() => fake.connections).toBe(0);
    expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before);
  });
});

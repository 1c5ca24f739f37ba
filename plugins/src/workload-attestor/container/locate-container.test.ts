import { describe, expect, it } from 'vitest';
import { locateContainer } from './locate-container.ts';

const ID = '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef';
const OTHER = `${ID.slice(0, -1)}e`;
const THIRD = `${ID.slice(0, -1)}d`;
const POD = '1b7c7f5e-1d53-4d2b-8a51-0f3f0a5c9d11';
const SYSTEMD_POD = POD.replaceAll('-', '_');
const STATIC_POD = 'd2b8a510f3f0a5c9d111b7c7f5e1d534';
const V1 = ['name=systemd', 'pids', 'blkio', 'freezer', 'devices', 'memory', 'cpuset', 'cpuacct', 'cpu'];

/** The same path in each hierarchy, as engines make it where both versions are mounted. */
const hybrid = (path: string) =>
  [...V1.map((name, index) => `${9 - index}:${name}:${path}`), `0::${path}`, ''].join('\n');
const v1 = (path: string) => V1.map((name, index) => `${9 - index}:${name}:${path}\n`).join('');
const v2 = (path: string) => `0::${path}\n`;
const mount = (root: string, type = 'cgroup2') =>
  `1543 1542 0:32 ${root} /sys/fs/cgroup ro,nosuid master:9 - ${type} cgroup rw\n`;
const found = (more: object = {}) => ({
  containerId: ID,
  podUid: undefined,
  podman: false,
  loginUid: undefined,
  ...more,
});

describe('the container of a process', () => {
  it.each([
    ['docker, cgroupfs', `/docker/${ID}`, {}],
    ['docker, systemd', `/system.slice/docker-${ID}.scope`, {}],
    ['docker under a parent of its own', `/mine/deep/${ID}`, {}],
    ['docker under a parent that looks like a pod', `/kubepods/burstable/podabc/${ID}`, {}],
    [
      'docker without root, systemd',
      `/user.slice/user-1000.slice/user@1000.service/docker-${ID}.scope`,
      { loginUid: 1000 },
    ],
    ['podman, cgroupfs', `/libpod_parent/libpod-${ID}`, { podman: true }],
    ['podman, cgroupfs, in a pod', `/libpod_parent/${OTHER}/libpod-${ID}`, { podman: true }],
    ['podman, systemd and runc', `/machine.slice/libpod-${ID}.scope`, { podman: true }],
    ['podman, systemd and crun', `/machine.slice/libpod-${ID}.scope/container`, { podman: true }],
    [
      'podman, systemd and crun, in a pod',
      `/machine.slice/machine-libpod_pod_${OTHER}.slice/libpod-${ID}.scope/container`,
      { podman: true },
    ],
    ['podman as a service', `/system.slice/web.service/libpod-payload-${ID}`, { podman: true }],
    [
      'podman without root',
      `/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${ID}.scope/container`,
      { podman: true, loginUid: 1000 },
    ],
    ['kubelet, burstable, cgroupfs', `/kubepods/burstable/pod${POD}/${ID}`, { podUid: POD }],
    ['kubelet, best effort, cgroupfs', `/kubepods/besteffort/pod${POD}/${ID}`, { podUid: POD }],
    ['kubelet, guaranteed, cgroupfs', `/kubepods/pod${POD}/${ID}`, { podUid: POD }],
    ['kubelet, static pod', `/kubepods/besteffort/pod${STATIC_POD}/${ID}`, { podUid: STATIC_POD }],
    [
      'kubelet, burstable, systemd',
      `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${SYSTEMD_POD}.slice/cri-containerd-${ID}.scope`,
      { podUid: POD },
    ],
    [
      'kubelet, guaranteed, systemd',
      `/kubepods.slice/kubepods-pod${SYSTEMD_POD}.slice/cri-containerd-${ID}.scope`,
      { podUid: POD },
    ],
    [
      'kubelet, static pod, systemd',
      `/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${STATIC_POD}.slice/cri-containerd-${ID}.scope`,
      { podUid: STATIC_POD },
    ],
    ['cri-o', `/kubepods.slice/kubepods-pod${SYSTEMD_POD}.slice/crio-${ID}.scope/container`, { podUid: POD }],
    [
      'kubelet with systemd, containerd without',
      `/system.slice/containerd.service/kubepods-burstable-pod${SYSTEMD_POD}.slice:cri-containerd:${ID}`,
      { podUid: POD },
    ],
    [
      'a kubelet below another group',
      `/sdv1/kubepods.slice/kubepods-pod${SYSTEMD_POD}.slice/cri-containerd-${ID}.scope`,
      { podUid: POD },
    ],
    ['groups that the container made', `/docker/${ID}/system.slice/app.service`, {}],
    ['another container, from a private namespace', `/../docker-${ID}.scope`, {}],
    ['another pod, from a private namespace', `/../../pod${POD}/${ID}`, { podUid: POD }],
    ['a container of the own pod, from a private namespace', `/../${ID}`, {}],
    [
      'without root, from a private namespace',
      `/../../user.slice/user-7.slice/libpod-${ID}`,
      { podman: true, loginUid: 7 },
    ],
  ])('%s', (_, path, more) => {
    for (const files of [hybrid(path), v1(path), v2(path), v1(path) + v2('/'), v1('/') + v2(path)]) {
      expect(locateContainer(files, '')).toEqual(found(more));
    }
  });

  it.each([
    ['the root', '/'],
    ['a service', '/system.slice/mywl.service'],
    ['a service of a user', '/sdtest/app.slice/mywl.service'],
    ['a container of another kind', '/ex/c1'],
    ['the monitor of a container', `/machine.slice/libpod-conmon-${ID}.scope`],
    ['the monitor of a pod', `/kubepods.slice/kubepods-pod${SYSTEMD_POD}.slice/crio-conmon-${ID}.scope`],
    ['a name that is too long', `/docker/${ID}0`],
    ['a name that is no number', `/docker/${ID.replace('f', 'g')}`],
    ['an id inside of a name', `/system.slice/var-lib-${ID}-shm.mount`],
    ['a pod alone', `/kubepods/pod${POD}`],
  ])('none in %s', (_, path) => {
    for (const files of [hybrid(path), v1(path), v2(path)]) expect(locateContainer(files, '')).toBeUndefined();
  });

  it('is that within what surrounds the agent too', () => {
    const own = hybrid(`/docker/${OTHER}/kubepods/besteffort/pod${STATIC_POD}/${OTHER}`);
    const mixed =
      v1(`/docker/${OTHER}/kubepods/besteffort/pod${POD}/${ID}`) + v2(`/docker/${OTHER}/system.slice/x.service`);
    expect(locateContainer(mixed, '', own)).toEqual(found({ podUid: POD }));
    expect(locateContainer(v2(`/docker/${OTHER}/docker/${ID}`), '', v2(`/docker/${OTHER}`))).toEqual(found());
    expect(locateContainer(v2(`/docker/${ID}/x`), '', v2(`/docker/${ID}`))).toEqual(found());
  });
});

describe('refused is', () => {
  const refusal = (cgroup: string, mountinfo = '', own?: string) => {
    expect(() => locateContainer(cgroup, mountinfo, own)).toThrow(
      expect.objectContaining({ name: 'IssuerError', code: 'failed-precondition' }),
    );
  };

  it.each([
    ['docker', `/docker/${OTHER}/docker/${ID}`],
    ['a scope', `/system.slice/docker-${OTHER}.scope/docker-${ID}.scope`],
    ['a pod', `/docker/${OTHER}/kubepods/burstable/pod${POD}/${ID}`],
    ['what looks like podman', `/system.slice/docker-${OTHER}.scope/libpod-${ID}.scope`],
    ['a pod in a pod', `/kubepods/pod${STATIC_POD}/${OTHER}/kubepods/pod${POD}/${ID}`],
    ['a private namespace', `/../../pod${STATIC_POD}/${OTHER}/docker-${ID}.scope`],
    ['the same twice', `/docker/${ID}/docker/${ID}`],
  ])('a container that another container named: %s', (_, path) => {
    for (const files of [hybrid(path), v1('/') + v2(path)]) refusal(files);
    // Also where the agent is in a container, but not in that.
    refusal(v2(path), '', v2(`/docker/${THIRD}`));
  });

  it('a pod that a user who has logged in has named', () => {
    refusal(v2(`/user.slice/user-1000.slice/user@1000.service/kubepods/burstable/pod${POD}/${ID}`));
    refusal(v2(`/user.slice/user-1000.slice/kubepods-pod${SYSTEMD_POD}.slice/cri-containerd-${ID}.scope`));
  });

  it('what hierarchies name differently', () => {
    refusal(v1(`/docker/${ID}`) + v2(`/docker/${OTHER}`));
    refusal(v1(`/kubepods/pod${POD}/${ID}`) + v2(`/kubepods/pod${STATIC_POD}/${ID}`));
    refusal(v1(`/kubepods/pod${POD}/${ID}`) + v2(`/docker/${OTHER}`));
  });

  it('a container that only mounts name, which any process can make', () => {
    for (const type of ['cgroup', 'cgroup2']) {
      refusal(v2('/'), mount('/', type) + mount(`/kubepods/pod${POD}/${ID}`, type));
      refusal(v2('/'), mount(`/../docker-${ID}.scope`, type));
    }
    refusal(v2('/'), `1 2 0:3 /docker/${ID} /sys/fs/cgroup rw - cgroup2  rw`);
    expect(locateContainer(v2('/'), mount('/'))).toBeUndefined();
    expect(locateContainer(v2('/'), mount(`/docker/${ID}`, 'ext4'))).toBeUndefined();
    expect(locateContainer(v2('/'), `1 2 0:3 /docker/${ID} /sys/fs`)).toBeUndefined();
    // They do not matter where the groups tell.
    expect(locateContainer(v2(`/docker/${ID}`), mount(`/docker/${OTHER}`))).toEqual(found());
  });

  it.each(['', '\n', 'x', '0:/', '0::', '0::docker', 'x::/', '0:://', `0::/docker//${ID}`, `0::/docker/${ID}/`])(
    'the file %j',
    (text) => {
      expect(() => locateContainer(text, '')).toThrow(expect.objectContaining({ code: 'internal' }));
      expect(() => locateContainer(v2(`/docker/${ID}`) + (text.trim() || 'x'), '')).toThrow();
    },
  );
});

describe('hostile names', () => {
  it.each(['\0', '\x1b[2J', '\\012', 'ä', '%2e', ' ', ':', '0::', '\u2028', '\r'])(
    'with %j give nothing else',
    (odd) => {
      expect(locateContainer(v2(`/${odd}/docker-${ID}.scope`), '')).toEqual(found());
      expect(locateContainer(v2(`/docker/${ID}${odd}`), '')).toBeUndefined();
    },
  );

  it('take no time however long they are', () => {
    const long = 'pod-'.repeat(200_000);
    expect(locateContainer(v2(`/${long}/${'a:'.repeat(100_000)}${ID}x`), mount(`/${long}`).repeat(2))).toBeUndefined();
    expect(locateContainer(v2(`${'/..'.repeat(100_000)}/${ID}`), '')).toEqual(found());
  });
});

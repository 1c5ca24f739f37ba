import { describe, expect, it } from 'vitest';
import { settingsSchema } from './settings.ts';

const parse = (value: object) => settingsSchema.parse(value);
const ID = '0123456789abcdef'.repeat(4);

describe('settings', () => {
  it("have SPIRE's defaults", () => {
    expect(parse({})).toMatchObject({
      sockets: { docker: '/var/run/docker.sock', podman: '/run/podman/podman.sock', rootlessPodman: undefined },
      version: undefined,
      locate: undefined,
      verbose: false,
    });
    expect(parse({ docker_socket_path: '', docker_version: '', use_new_container_locator: true })).toEqual(parse({}));
  });

  it('name sockets and a version', () => {
    const { sockets, version } = parse({
      docker_socket_path: 'unix:///a/docker.sock',
      podman_socket_path: 'unix:///b/podman.sock',
      podman_socket_path_template: 'unix:///run/100%%/%d/p.sock',
      docker_version: 'v1.41',
    });
    expect(sockets).toMatchObject({ docker: '/a/docker.sock', podman: '/b/podman.sock' });
    expect(sockets.rootlessPodman?.(1000)).toBe('/run/100%/1000/p.sock');
    expect(version).toBe('1.41');
  });

  it.each([
    [{ docker_socket_path: 'tcp://127.0.0.1:2375' }, /unix socket/],
    [{ docker_socket_path: '/var/run/docker.sock' }, /unix socket/],
    [{ podman_socket_path: 'unix://relative' }, /unix socket/],
    [{ podman_socket_path_template: 'unix:///run/user/podman.sock' }, /%d once/],
    [{ podman_socket_path_template: 'unix:///%d/%d' }, /%d once/],
    [{ podman_socket_path_template: 'unix:///%d/%s' }, /%d and %%/],
    [{ podman_socket_path_template: 'unix:///%d/%' }, /%d and %%/],
    [{ podman_socket_path_template: '' }, /%d once/],
    [{ docker_version: 'latest' }, /1\.41/],
    [{ docker_version: '1.41/../..' }, /1\.41/],
    [{ sigstore: {} }, /not supported yet/],
    [{ docker_host: 'npipe:////./pipe/docker_engine' }, /docker_socket_path/],
    [{ docker_sock_path: 'unix:///x' }, /docker_sock_path/],
    [{ container_id_cgroup_matchers: ['/docker/<id>'] }, /use_new_container_locator/],
    [{ container_id_cgroup_matchers: ['/docker/*'], use_new_container_locator: false }, /<id> once/],
    [{ container_id_cgroup_matchers: ['/<id>/<id>'], use_new_container_locator: false }, /<id> once/],
    [{ container_id_cgroup_matchers: ['/a/b/<id>', '/*/b/<id>'], use_new_container_locator: false }, /same path/],
  ])('%j are refused', (value, message) => {
    expect(settingsSchema.safeParse(value).error?.message).toMatch(message);
  });
});

describe('patterns of control groups', () => {
  const { locate } = parse({
    container_id_cgroup_matchers: ['/docker/<id>', '/my.slice/*/<id>/*', '/user.slice/*/libpod-x/<id>'],
    use_new_container_locator: 'false',
  });
  const found = (containerId: string, more = {}) => ({
    containerId,
    podUid: undefined,
    podman: false,
    loginUid: undefined,
    ...more,
  });

  it('find what they are written for, and nothing else', () => {
    expect(locate?.(`0::/docker/${ID}`)).toEqual(found(ID));
    expect(locate?.('3:cpu:/\n0::/my.slice/x/web/y')).toEqual(found('web'));
    expect(locate?.('0::/user.slice/user-7.slice/libpod-x/c')).toEqual(found('c', { podman: true, loginUid: 7 }));
    for (const path of ['/', '/docker', `/docker/${ID}/x`, `/x/docker/${ID}`, '/my.slice/web/y']) {
      expect(locate?.(`0::${path}`)).toBeUndefined();
    }
  });

  it('refuse two containers', () => {
    expect(() => locate?.('1:cpu:/docker/a\n0::/docker/b')).toThrow(
      expect.objectContaining({ code: 'failed-precondition' }),
    );
  });
});

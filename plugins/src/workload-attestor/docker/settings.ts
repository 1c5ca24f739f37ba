import { flag, oneOrMany, parsed } from '@steeple/daemon/config';
import { z } from 'zod';
import { cgroupMatchers, MatcherError } from './cgroup-matchers.ts';
import type { EngineSockets } from './engines.ts';

class SettingError extends Error {}

/** Empty means unset, as in SPIRE. */
const socket = (standard: string) =>
  parsed((value) => pathOf(value === '' ? standard : value), SettingError).default(pathOf(standard));

const unsupported = (hint: string) => z.custom((value) => value === undefined, hint).optional();

export const settingsSchema = z
  .strictObject({
    docker_socket_path: socket('unix:///var/run/docker.sock'),
    /** Podman of root. */
    podman_socket_path: socket('unix:///run/podman/podman.sock'),
    /** Podman of other users, with `%d` for the user's number; none of them is believed unless it is set. */
    podman_socket_path_template: parsed(templateOf, SettingError).optional(),
    /** Of the API; negotiated by default. */
    docker_version: parsed(versionOf, SettingError).optional(),
    container_id_cgroup_matchers: oneOrMany(z.string()),
    use_new_container_locator: flag().optional(),
    verbose_container_locator_logs: flag().default(false),
    docker_host: unsupported('this is for Windows; set docker_socket_path'),
    sigstore: unsupported('signatures of images are not supported yet; remove this block'),
  })
  .transform((given, context) => {
    const patterns = given.container_id_cgroup_matchers;
    const refuse = (message: string) => {
      context.addIssue({ code: 'custom', path: ['container_id_cgroup_matchers'], message });
      return z.NEVER;
    };
    if (patterns.length > 0 && given.use_new_container_locator !== false) {
      return refuse('patterns are only used with use_new_container_locator = false');
    }
    try {
      const sockets: EngineSockets = {
        docker: given.docker_socket_path,
        podman: given.podman_socket_path,
        rootlessPodman: given.podman_socket_path_template,
      };
      return {
        sockets,
        version: given.docker_version,
        locate: patterns.length === 0 ? undefined : cgroupMatchers(patterns),
        verbose: given.verbose_container_locator_logs,
      };
    } catch (error) {
      if (!(error instanceof MatcherError)) throw error;
      return refuse(error.message);
    }
  });

export type Settings = z.infer<typeof settingsSchema>;

function pathOf(url: string): string {
  const [, path] = /^unix:\/\/(\/.+)$/.exec(url) ?? [];
  if (path === undefined)
    throw new SettingError('must be the address of a unix socket, such as unix:///var/run/x.sock');
  return path;
}

/** `%%` stands for a percent sign. */
function templateOf(template: string): (uid: number) => string {
  const parts = template.split(/(%.?)/s);
  if (parts.some((part) => part.startsWith('%') && part !== '%d' && part !== '%%')) {
    throw new SettingError('may have %d and %% only');
  }
  if (parts.filter((part) => part === '%d').length !== 1) throw new SettingError('must have %d once, for the user');
  const fill = (uid: number) => parts.map((part) => (part === '%d' ? uid : part === '%%' ? '%' : part)).join('');
  pathOf(fill(0));
  return (uid) => pathOf(fill(uid));
}

function versionOf(text: string): string | undefined {
  if (text === '') return undefined;
  const [, version] = /^v?(\d{1,3}\.\d{1,3})$/.exec(text) ?? [];
  if (version === undefined) throw new SettingError('must be a version of the API, such as 1.41');
  return version;
}

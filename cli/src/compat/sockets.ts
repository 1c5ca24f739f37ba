// Where the programs look for the sockets that they call.
import { resolve } from 'node:path';
import { CommandError } from './command-error.ts';
import { stringFlag, timeoutFlag } from './go/flag-kind.ts';
import type { FlagSpec, FlagValues } from './go/flag-set.ts';
import type { CompatIo } from './io.ts';

const DEFAULTS: Readonly<Record<SocketKind, string>> = {
  server: '/tmp/spire-server/private/api.sock',
  workload: '/tmp/spire-agent/public/api.sock',
  'agent-admin': '/tmp/spire-agent/private/admin.sock',
};

const socketFlag = (on: SocketKind, usage: string): FlagSpec => ({
  name: 'socketPath',
  kind: stringFlag,
  usage,
  initial: DEFAULTS[on],
});

const instanceFlag = (variable: string): FlagSpec => ({
  name: 'instance',
  kind: stringFlag,
  usage: `Instance name to substitute into socket templates (env ${variable}).`,
});

const SERVER_TEMPLATE = 'SPIRE_SERVER_PRIVATE_SOCKET_TEMPLATE';
const AGENT_TEMPLATE = 'SPIRE_AGENT_PUBLIC_SOCKET_TEMPLATE';

/** The flags that choose the socket, for each kind of command. */
export const socketFlags = {
  server: [socketFlag('server', 'Path to the SPIRE Server API socket'), instanceFlag(SERVER_TEMPLATE)],
  workload: [socketFlag('workload', 'Path to the SPIRE Agent API Unix domain socket'), instanceFlag(AGENT_TEMPLATE)],
  health: [socketFlag('workload', 'Path to the SPIRE Agent API socket'), instanceFlag(AGENT_TEMPLATE)],
  'agent-admin': [socketFlag('agent-admin', 'Path to the SPIRE Agent admin API socket')],
} as const satisfies Record<string, readonly FlagSpec[]>;

export const callTimeoutFlag: FlagSpec = {
  name: 'timeout',
  kind: { ...timeoutFlag, show: () => '5s' },
  usage: 'Time to wait for a response',
  initial: 5_000_000_000n,
};

/** The server's, the Workload API's, or that of a node's administrators. */
export type SocketKind = 'server' | 'workload' | 'agent-admin';

export interface Socket {
  readonly path: string;
  /** How the programs name it when nobody is there. */
  readonly dialled: string;
}

/** The socket that a command calls. @throws {CommandError} */
export function socketOf(on: SocketKind, flags: FlagValues, io: CompatIo): Socket {
  const path = socketPath(on, flags, io);
  if (on === 'workload') return { path, dialled: resolve(path) };
  return { path, dialled: path.startsWith('/') ? `//${path}` : path };
}

/** In this order: the flag, then the instance, then the environment, then the default. */
const socketPath = (on: SocketKind, flags: FlagValues, { env }: CompatIo): string => {
  const given = flags.text('socketPath');
  if (on === 'agent-admin') return given === '' ? DEFAULTS[on] : given;
  const template = on === 'server' ? SERVER_TEMPLATE : AGENT_TEMPLATE;
  const instance = flags.text('instance');
  const pattern = env[template] ?? '';
  if (instance !== '') checkTemplate(on, template, pattern);
  if (given !== DEFAULTS[on]) return given;
  if (instance !== '') return pattern.replaceAll('%i', instance);
  return env[template.replace(/_TEMPLATE$/, '')] || DEFAULTS[on];
};

const checkTemplate = (on: SocketKind, name: string, pattern: string): void => {
  if (pattern === '') {
    throw new CommandError(
      on === 'server'
        ? `you must define ${name} to use the instance flag`
        : ` ${name} environment variable must be defined when using the instance flag`,
    );
  }
  if (!pattern.includes('%i')) throw new CommandError(`failed to find %i in ${name}`);
};

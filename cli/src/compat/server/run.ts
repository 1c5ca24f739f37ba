import { systemClock } from '@steeple/daemon';
import { daemonLogger } from '../../daemon-config.ts';
import { logFlags, requireSettings } from '../daemon-config.ts';
import { intFlag } from '../go/flag-kind.ts';
import { type DaemonProgram, runCommand, validateCommand } from '../run-command.ts';

const REQUIRED = ['trust_domain', 'data_dir'];

const server: DaemonProgram = {
  section: 'server',
  defaultPath: 'conf/server/server.conf',
  tellsDefaultPath: false,
  defaults: { socket_path: '/tmp/spire-server/private/api.sock' },
  settings: [
    { name: 'bindAddress', setting: 'bind_address', usage: 'IP address or DNS name of the SPIRE server' },
    { name: 'serverPort', setting: 'bind_port', usage: 'Port number of the SPIRE server', kind: intFlag },
    { name: 'dataDir', setting: 'data_dir', usage: 'Directory to store runtime data to' },
    ...logFlags,
    { name: 'trustDomain', setting: 'trust_domain', usage: 'The trust domain that this server belongs to' },
    { name: 'socketPath', setting: 'socket_path', usage: 'Path to bind the SPIRE Server API socket to' },
  ],
  check: async (document, { env }) => {
    requireSettings(document, 'server', REQUIRED);
    const { checkPlugins, parseServerConfig } = await import('@steeple/server');
    await checkPlugins(parseServerConfig(document, env));
  },
  create: async (document, { env }) => {
    requireSettings(document, 'server', REQUIRED);
    const { createServer, parseServerConfig } = await import('@steeple/server');
    const config = parseServerConfig(document, env);
    return createServer(config, { clock: systemClock, logger: daemonLogger({}, config) });
  },
};

export const runServer = runCommand(server);
export const validateServer = validateCommand(server);

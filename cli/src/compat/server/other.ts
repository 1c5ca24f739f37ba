// `debug`, `healthcheck`, `logger` and `token` of the server.
import { agentV1, debugV1, loggerV1, types } from '@steeple/proto/server-api';
import { tellChain } from '../chain-text.ts';
import type { CallCommand } from '../command.ts';
import { explain } from '../command-error.ts';
import { formatDuration, SECOND } from '../go/duration.ts';
import { intFlag, stringFlag } from '../go/flag-kind.ts';
import { healthcheck, healthFlags } from '../healthcheck.ts';
import { loggerCommands } from '../logger-commands.ts';
import { outputFlag } from '../output-flag.ts';
import { readId } from '../spiffe-id.ts';
import { int32 } from './int32.ts';

const getInfo: CallCommand = {
  path: 'debug getinfo',
  synopsis: 'Prints debug information about the server',
  on: 'server',
  flags: [outputFlag],
  run: async (call) => {
    const info = await call.client(debugV1.Debug).getInfo({});
    await call.answer(debugV1.GetInfoResponseSchema, info, () => {
      call.line('Server Debug Info:');
      call.line(`  Uptime:                  ${formatDuration(BigInt(info.uptime) * SECOND)}`);
      call.line(`  Registered Agents:       ${info.agentsCount}`);
      call.line(`  Registration Entries:    ${info.entriesCount}`);
      call.line(`  Federated Bundles:       ${info.federatedBundlesCount}`);
      tellChain(call, info.svidChain);
    });
  },
};

const health: CallCommand = {
  path: 'healthcheck',
  synopsis: 'Determines server health status',
  on: 'server',
  flags: healthFlags,
  run: async (call) => {
    await explain('server is unhealthy', healthcheck(call, 'server'));
    call.line('Server is healthy.');
  },
};

const generate: CallCommand = {
  path: 'token generate',
  title: 'generate',
  synopsis: 'Generates a join token',
  on: 'server',
  flags: [
    { name: 'ttl', kind: intFlag, usage: 'Token TTL in seconds', initial: 600n },
    { name: 'spiffeID', kind: stringFlag, usage: 'Additional SPIFFE ID to assign the token owner (optional)' },
    outputFlag,
  ],
  run: async (call) => {
    const id = call.flags.text('spiffeID');
    const agentId = id === '' ? undefined : readId(id);
    const ttl = int32(call.flags.number('ttl'), 'TTL');
    const token = await call.client(agentV1.Agent).createJoinToken({ ttl, ...(agentId && { agentId }) });
    await call.answer(types.JoinTokenSchema, token, () => {
      call.line(`Token: ${token.value}`);
      if (id === '') call.line('Warning: Missing SPIFFE ID.');
    });
  },
};

/** What is left of the server's commands that call it. */
export const otherCommands: readonly CallCommand[] = [
  getInfo,
  health,
  ...loggerCommands('server', (call) => call.client(loggerV1.Logger)),
  generate,
];

import { debugV1, loggerV1 } from '@steeple/proto/agent-api';
import { tellChain } from '../chain-text.ts';
import type { CallCommand, CompatProgram } from '../command.ts';
import { formatDuration, SECOND } from '../go/duration.ts';
import { rfc3339 } from '../go/time.ts';
import { healthcheck, healthFlags } from '../healthcheck.ts';
import { loggerCommands } from '../logger-commands.ts';
import { outputFlag } from '../output-flag.ts';
import { socketFlags } from '../sockets.ts';
import { fetchX509 } from './fetch-x509.ts';
import { fetchJwt, validateJwt } from './jwt.ts';
import { runAgent, validateAgent } from './run.ts';
import { watch } from './watch.ts';

const getInfo: CallCommand = {
  path: 'debug getinfo',
  synopsis: 'Prints debug information about the agent',
  on: 'agent-admin',
  flags: [outputFlag],
  run: async (call) => {
    const info = await call.client(debugV1.Debug).getInfo({});
    await call.answer(debugV1.GetInfoResponseSchema, info, () => {
      const synced = info.lastSyncSuccess === 0n ? '(never)' : rfc3339(Number(info.lastSyncSuccess));
      call.line('Agent Debug Info:');
      call.line(`  Uptime:                          ${formatDuration(BigInt(info.uptime) * SECOND)}`);
      call.line(`  Last Sync Success:               ${synced}`);
      call.line(`  Cached X.509 SVIDs:              ${info.cachedX509SvidsCount}`);
      call.line(`  Cached JWT SVIDs:                ${info.cachedJwtSvidsCount}`);
      call.line(`  Cached SVID Store X.509 SVIDs:   ${info.cachedSvidstoreX509SvidsCount}`);
      tellChain(call, info.svidChain);
    });
  },
};

const health: CallCommand = {
  path: 'healthcheck',
  title: 'health',
  synopsis: 'Determines agent health status',
  on: 'workload',
  withoutTimeout: true,
  sockets: socketFlags.health,
  repeatsFlagErrors: false,
  errorPrefix: 'Agent is unhealthy: ',
  flags: healthFlags,
  run: async (call) => {
    await healthcheck(call, 'agent');
    call.line('Agent is healthy.');
  },
};

/** The agent's program. */
export const spireAgent: CompatProgram = {
  name: 'spire-agent',
  commands: [
    getInfo,
    fetchX509('api fetch'),
    fetchX509('api fetch x509'),
    fetchJwt,
    validateJwt,
    watch,
    runAgent,
    health,
    ...loggerCommands('agent-admin', (call) => call.client(loggerV1.Logger)),
    validateAgent,
  ],
};

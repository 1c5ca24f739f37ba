// The levels of running processes' logs, and what they tell about themselves.
import type { Flag, Noun, Verb } from '../verb.ts';
import { admin, outputFlag } from './common-flags.ts';

const agentAdmin: readonly Flag[] = [
  { flags: '--socket <path>', help: "the agent's administrative socket (STEEPLE_AGENT_ADMIN_SOCKET)" },
  outputFlag,
];

const noun = (of: 'server' | 'agent', flags: readonly Flag[]): Noun => ({
  name: 'logger',
  summary: `how much the running ${of} logs`,
  verbs: [
    {
      name: 'get',
      summary: 'the level now, and the one at its start',
      flags,
      load: async () => (await import('../commands/logger/level.ts'))[of].get,
    },
    {
      name: 'set',
      summary: 'another level, until it is reset or the process starts anew',
      args: ['<level>'],
      flags,
      load: async () => (await import('../commands/logger/level.ts'))[of].set,
    },
    {
      name: 'reset',
      summary: 'back to the level at its start',
      flags,
      load: async () => (await import('../commands/logger/level.ts'))[of].reset,
    },
  ],
});

export const loggerNoun = noun('server', admin);
export const agentLoggerNoun = noun('agent', agentAdmin);

export const debugVerb: Verb = {
  name: 'debug',
  summary: 'what the running server tells about itself',
  flags: admin,
  load: async () => (await import('../commands/debug/server.ts')).run,
};

export const agentDebugVerb: Verb = {
  name: 'debug',
  summary: 'what the running agent tells about itself',
  flags: agentAdmin,
  load: async () => (await import('../commands/debug/agent.ts')).run,
};

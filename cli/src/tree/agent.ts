import type { Flag, Noun } from '../verb.ts';
import { admin, configFlag, expandEnvFlag, watchFlag, workloadSocketFlag } from './common-flags.ts';
import { agentDebugVerb, agentLoggerNoun } from './logger.ts';

const filters: readonly Flag[] = [
  { flags: '--attestation-type <type>', help: 'only agents attested this way' },
  { flags: '--banned', help: 'only banned agents' },
  { flags: '--not-banned', help: 'only agents that are not banned' },
  { flags: '--can-reattest', help: 'only agents that may attest again' },
  { flags: '--cannot-reattest', help: 'only agents that may not' },
  {
    flags: '--expires-before <time>',
    help: 'only agents whose SVID expires before then, such as 2030-01-31T12:00:00Z',
  },
  { flags: '--selector <type:value>', help: 'a trait of the node', list: true },
  { flags: '--match-selectors-on <how>', help: 'how selectors match', choices: ['exact', 'subset', 'superset', 'any'] },
];

export const agentNoun: Noun = {
  name: 'agent',
  summary: 'run an agent; look after the agents of a server',
  verbs: [
    {
      name: 'run',
      summary: 'serve the Workload API on this node',
      flags: [
        configFlag,
        expandEnvFlag,
        { flags: '--join-token <token>', help: 'the token to join with, once' },
        {
          flags: '--log-level <level>',
          help: 'overrides the file',
          choices: ['error', 'warn', 'info', 'debug', 'trace'],
        },
      ],
      load: async () => (await import('../commands/agent/run.ts')).run,
    },
    {
      name: 'validate',
      summary: 'check a configuration file',
      flags: [configFlag, expandEnvFlag],
      load: async () => (await import('../commands/agent/validate.ts')).run,
    },
    {
      name: 'healthcheck',
      summary: 'does the agent serve?',
      flags: [workloadSocketFlag],
      load: async () => (await import('../commands/agent/healthcheck.ts')).run,
    },
    {
      name: 'list',
      summary: 'the agents that have joined',
      flags: [...filters, watchFlag, ...admin],
      load: async () => (await import('../commands/agent/list.ts')).run,
    },
    {
      name: 'show',
      summary: 'one agent in full',
      args: ['<spiffe-id>'],
      flags: admin,
      load: async () => (await import('../commands/agent/show.ts')).run,
    },
    {
      name: 'count',
      summary: 'how many agents there are',
      flags: [...filters, ...admin],
      load: async () => (await import('../commands/agent/count.ts')).run,
    },
    {
      name: 'ban',
      summary: 'refuse an agent until it is evicted',
      args: ['<spiffe-id>'],
      flags: admin,
      load: async () => (await import('../commands/agent/ban.ts')).run,
    },
    {
      name: 'evict',
      summary: 'forget an agent; it must attest again',
      args: ['<spiffe-id>'],
      flags: admin,
      load: async () => (await import('../commands/agent/evict.ts')).run,
    },
    {
      name: 'purge',
      summary: 'evict the agents whose SVID expired long ago and that can attest again',
      flags: [
        { flags: '--expired-for <time>', help: 'how long ago; 720h when absent' },
        { flags: '--dry-run', help: 'only say which' },
        ...admin,
      ],
      load: async () => (await import('../commands/agent/purge.ts')).run,
    },
    agentDebugVerb,
  ],
  nouns: [agentLoggerNoun],
};

import type { Noun } from '../verb.ts';

export const compatNoun: Noun = {
  name: 'compat',
  summary: "SPIRE's programs: their commands, flags and output",
  verbs: [
    {
      name: 'spire-server',
      summary: 'as if spire-server had been called',
      flags: [],
      raw: true,
      load: async () => (await import('../commands/compat.ts')).server,
    },
    {
      name: 'spire-agent',
      summary: 'as if spire-agent had been called',
      flags: [],
      raw: true,
      load: async () => (await import('../commands/compat.ts')).agent,
    },
  ],
};

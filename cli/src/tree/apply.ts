import type { Verb } from '../verb.ts';
import { admin } from './common-flags.ts';

export const applyVerb: Verb = {
  name: 'apply',
  summary: 'make entries and federation relationships be as files say; may be repeated',
  flags: [
    {
      flags: '-f, --file <path>',
      help: 'a file or folder of ClusterStaticEntry and ClusterFederatedTrustDomain objects (YAML or JSON), or - for standard input',
      list: true,
      required: true,
    },
    { flags: '--set <name>', help: 'whose files these are: only what this set made is changed; default when absent' },
    { flags: '--prune', help: 'also remove what an earlier apply of the set made and no file speaks of any more' },
    { flags: '--dry-run', help: 'only show what would be done' },
    ...admin,
  ],
  load: async () => (await import('../commands/apply.ts')).run,
};

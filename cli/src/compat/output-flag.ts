import { outputFlag as kind } from './go/flag-kind.ts';
import type { FlagSpec } from './go/flag-set.ts';

/** `-output`, which nearly every command has. */
export const outputFlag: FlagSpec = {
  name: 'output',
  kind,
  usage: 'Desired output format (pretty, json); default: pretty.',
};

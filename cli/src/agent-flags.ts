import { matchBehavior } from './entry-flags.ts';
import { isOn, text, texts } from './flags.ts';
import { selector } from './selector-flag.ts';
import type { Options } from './verb.ts';

/** The filter of `agent list` and `agent count`. */
export function agentFilter(options: Options): object {
  const selectors = texts(options, 'selector').map(selector);
  return {
    byAttestationType: text(options, 'attestationType') ?? '',
    ...(isOn(options, 'banned') ? { byBanned: true } : {}),
    ...(isOn(options, 'canReattest') ? { byCanReattest: true } : {}),
    ...(selectors.length === 0 ? {} : { bySelectorMatch: { selectors, match: matchBehavior(options) } }),
  };
}

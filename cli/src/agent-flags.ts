import { matchBehavior } from './entry-flags.ts';
import { UserError } from './exit.ts';
import { isOn, text, texts } from './flags.ts';
import { selector } from './selector-flag.ts';
import type { Options } from './verb.ts';

/** The filter of `agent list` and `agent count`. */
export function agentFilter(options: Options): object {
  const selectors = texts(options, 'selector').map(selector);
  return {
    byAttestationType: text(options, 'attestationType') ?? '',
    byExpiresBefore: expiresBefore(text(options, 'expiresBefore')),
    ...(isOn(options, 'banned') ? { byBanned: true } : {}),
    ...(isOn(options, 'notBanned') ? { byBanned: false } : {}),
    ...(isOn(options, 'canReattest') ? { byCanReattest: true } : {}),
    ...(isOn(options, 'cannotReattest') ? { byCanReattest: false } : {}),
    ...(selectors.length === 0 ? {} : { bySelectorMatch: { selectors, match: matchBehavior(options) } }),
  };
}

/** The form that the message has: Go's, with the zone written twice. */
function expiresBefore(given: string | undefined): string {
  if (given === undefined) return '';
  const instant = Date.parse(given);
  if (Number.isNaN(instant)) {
    throw new UserError(`--expires-before: '${given}' is not a time`, 'write it as 2030-01-31T12:00:00Z or 2030-01-31');
  }
  return `${new Date(instant).toISOString().slice(0, 19).replace('T', ' ')} +0000 +00`;
}

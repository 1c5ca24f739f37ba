// The flags that say what a list or a count is about.
import { types } from '@steeple/proto/server-api';
import { CommandError } from './command-error.ts';
import { quote } from './go/quote.ts';

const { MATCH_EXACT, MATCH_SUBSET, MATCH_SUPERSET, MATCH_ANY } = types.SelectorMatch_MatchBehavior;

const BEHAVIOURS: ReadonlyMap<string, types.SelectorMatch_MatchBehavior> = new Map([
  ['exact', MATCH_EXACT],
  ['any', MATCH_ANY],
  ['superset', MATCH_SUPERSET],
  ['subset', MATCH_SUBSET],
]);

/** The number of a way to match, which is the same for selectors and trust domains. */
export function behaviour(text: string): types.SelectorMatch_MatchBehavior & types.FederatesWithMatch_MatchBehavior {
  const found = BEHAVIOURS.get(text);
  if (found === undefined) throw new CommandError(`match behavior ${quote(text)} unknown`);
  return found;
}

/** Whether there is such a way to match. */
export const isBehaviour = (text: string): boolean => BEHAVIOURS.has(text);

/** `unix:uid:1000` as type and value; what follows the first colon is the value. */
export function readSelector(text: string): { type: string; value: string } {
  const colon = text.indexOf(':');
  if (colon === -1) throw new CommandError(`selector "${text}" must be formatted as type:value`);
  return { type: text.slice(0, colon), value: text.slice(colon + 1) };
}

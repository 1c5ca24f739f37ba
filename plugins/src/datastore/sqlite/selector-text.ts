import { createHash } from 'node:crypto';
import { dedupeSelectors, formatSelector, type Selector, sortSelectors } from '@steeple/core';

/** The stored texts of a set of selectors, sorted. */
export function selectorTexts(selectors: readonly Selector[]): string[] {
  return sortSelectors(dedupeSelectors(selectors)).map(formatSelector);
}

/** Back from the stored text; only the first colon separates. */
export function selectorFromText(text: string): Selector {
  const colon = text.indexOf(':');
  return { type: text.slice(0, colon), value: text.slice(colon + 1) };
}

/** A short text that is equal exactly for equal sets of selectors, however many they are. */
export function selectorsKey(selectors: readonly Selector[]): string {
  return createHash('sha256')
    .update(JSON.stringify(selectorTexts(selectors)))
    .digest('base64url');
}

import { hash } from 'node:crypto';
import { dedupeSelectors, formatSelector, type Selector, sortSelectors } from '@steeple/core';
import { Remembered } from './remembered.ts';

/** The stored texts of a set of selectors, sorted. */
export function selectorTexts(selectors: readonly Selector[]): string[] {
  return sortSelectors(dedupeSelectors(selectors)).map(formatSelector);
}

/** Back from the stored text; only the first colon separates. */
export function selectorFromText(text: string): Selector {
  return known.get(text);
}

const types = new Remembered((type) => type, 1000);

const known = new Remembered((text): Selector => {
  const colon = text.indexOf(':');
  return { type: types.get(text.slice(0, colon)), value: text.slice(colon + 1) };
});

/** A short text that is equal exactly for equal sets of selectors, however many they are. */
export function selectorsKey(selectors: readonly Selector[]): string {
  return keyOfTexts(selectorTexts(selectors));
}

/** The same of their sorted texts. */
export function keyOfTexts(texts: readonly string[]): string {
  return hash('sha256', JSON.stringify(texts), 'base64url');
}

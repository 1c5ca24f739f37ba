import { IssuerError, type Selector, type SelectorFilter, type SelectorMatch } from '@steeple/core';
import type { types } from '@steeple/proto/server-api';

const MATCHES: readonly SelectorMatch[] = ['exact', 'subset', 'superset', 'any'];

export const wireSelectors = (selectors: readonly Selector[]): Selector[] =>
  selectors.map(({ type, value }) => ({ type, value }));

/** Reads selectors. @throws {IssuerError} `invalid-argument` */
export const readSelectors = (wire: readonly types.Selector[]): Selector[] => wire.map(readSelector);

/** Reads a match filter; nothing given means no filter. @throws {IssuerError} `invalid-argument` */
export const readSelectorFilter = (wire: types.SelectorMatch | undefined): SelectorFilter | undefined => {
  if (!wire) return undefined;
  if (wire.selectors.length === 0) throw new IssuerError('invalid-argument', 'empty selector set');
  return { selectors: readSelectors(wire.selectors), match: readMatch(wire.match) };
};

/** Reads the number of a match behaviour; the two enums of the wire have the same numbers. */
export const readMatch = (match: number): SelectorMatch => {
  const known = MATCHES[match];
  if (!known) throw new IssuerError('invalid-argument', `unhandled match behavior (${match})`);
  return known;
};

const readSelector = ({ type, value }: types.Selector): Selector => {
  if (type === '') throw new IssuerError('invalid-argument', 'missing selector type');
  if (type.includes(':')) throw new IssuerError('invalid-argument', "selector type contains ':'");
  if (value === '') throw new IssuerError('invalid-argument', 'missing selector value');
  return { type, value };
};

import { parseSelector } from '@steeple/core';
import { expect, it } from 'vitest';
import { LoggableSelectors } from './loggable-selectors.ts';

it('shows the selectors of a call that an operator has allowed, and no others', () => {
  const selectors = ['unix:uid:0', 'k8s:ns:shop', 'k8s:ns-label:secret', 'k8s:sa:web', 'exact:x'].map(parseSelector);
  const call = {};
  const shown = (prefixes: string[]) => {
    const loggable = new LoggableSelectors(prefixes);
    loggable.note(call, selectors);
    return loggable.fieldsOf(call);
  };
  expect(shown([])).toEqual({});
  expect(shown(['k8s:ns', 'exact:x'])).toEqual({ selectors: 'exact:x,k8s:ns:shop' });
  expect(shown(['k8s'])).toEqual({ selectors: 'k8s:ns-label:secret,k8s:ns:shop,k8s:sa:web' });
  expect(shown(['k8'])).toEqual({});
  expect(new LoggableSelectors(['k8s']).fieldsOf({})).toEqual({});
});

import { describe, expect, it } from 'vitest';
import { parseStat, processState } from './process-state.ts';

const fields = 'S 1 2 2 0 -1 4194304 100 0 0 0 1 1 0 0 20 0 1 0 98765 1000 200';

describe('parseStat', () => {
  it('counts fields from the end of the name, which the process chooses', () => {
    expect(parseStat(`7 (cat) ${fields}`)).toEqual({ startTime: '98765', ended: false });
    for (const name of ['a) R 1 1', ') S 1 2 2 0 -1 4 1 0 0 0 1 1 0 0 20 0 1 0 11111 (', 'a b', '((', '\n)']) {
      expect(parseStat(`7 (${name}) ${fields}`)?.startTime).toBe('98765');
    }
  });

  it('knows zombies and the dead', () => {
    for (const state of ['Z', 'X', 'x']) expect(parseStat(`7 (a) ${state}${fields.slice(1)}`)?.ended).toBe(true);
  });

  it('refuses what is no stat line', () => {
    for (const line of ['', '7 (a', '7 (a) S 1', `7 (a) ${fields.replace('98765', '-1')}`]) {
      expect(parseStat(line)).toBeUndefined();
    }
  });
});

describe('processState', () => {
  it('finds this process, the same each time, and no other', () => {
    expect(processState(process.pid)).toEqual(processState(process.pid));
    expect(processState(process.pid)?.ended).toBe(false);
    expect(processState(2 ** 30)).toBeUndefined();
    expect(processState(-1)).toBeUndefined();
  });
});

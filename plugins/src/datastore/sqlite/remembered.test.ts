import { describe, expect, it } from 'vitest';
import { Remembered } from './remembered.ts';

describe('Remembered', () => {
  it('makes a value once, and forgets when there are too many', () => {
    const made: string[] = [];
    const values = new Remembered((text) => {
      made.push(text);
      return { text };
    }, 2);
    expect(values.get('a')).toBe(values.get('a'));
    expect(values.get('b')).toEqual({ text: 'b' });
    expect(made).toEqual(['a', 'b']);
    values.get('c');
    expect(values.get('a')).toEqual({ text: 'a' });
    expect(made).toEqual(['a', 'b', 'c', 'a']);
  });
});

import { describe, expect, it } from 'vitest';
import { Serial } from './serial.ts';

describe('Serial', () => {
  it('never lets two pieces of work overlap, and keeps their order', async () => {
    const serial = new Serial();
    const log: string[] = [];
    const work = (name: string, turns: number) => async () => {
      log.push(`${name}+`);
      for (let i = 0; i < turns; i++) await Promise.resolve();
      log.push(`${name}-`);
    };
    await Promise.all([serial.run(work('a', 9)), serial.run(work('b', 1)), serial.run(work('c', 4))]);
    expect(log).toEqual(['a+', 'a-', 'b+', 'b-', 'c+', 'c-']);
  });

  it('goes on after a failure, which only its own caller sees', async () => {
    const serial = new Serial();
    const failed = serial.run(() => Promise.reject(new Error('broken')));
    const next = serial.run(() => Promise.resolve(7));
    await expect(failed).rejects.toThrow('broken');
    expect(await next).toBe(7);
  });
});

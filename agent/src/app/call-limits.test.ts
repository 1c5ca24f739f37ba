import { parseSelector } from '@steeple/core';
import { FakeClock } from '@steeple/test-kit';
import { expect, it } from 'vitest';
import { CallLimits } from './call-limits.ts';

it('limits each method by the set of selectors, whatever their order', async () => {
  const clock = new FakeClock();
  const counted: unknown[] = [];
  const metrics = {
    counter: (...args: unknown[]) => counted.push(args),
    gauge: () => {},
    sample: () => {},
    timer: () => {},
  };
  const limits = new CallLimits({
    limits: new Map([
      ['/a', 2],
      ['/b', 1],
      ['/c', 0],
    ]),
    clock,
    metrics,
  });
  const [one, other] = [['x:1', 'y:2'], ['x:1']].map((texts) => texts.map(parseSelector));
  const [mine, theirs] = [one ?? [], other ?? []];
  const refused = (method: string, selectors = mine) => {
    try {
      limits.take(method, selectors);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect([refused('/a'), refused('/a', mine.toReversed()), refused('/a')]).toEqual([
    undefined,
    undefined,
    'rate limit exceeded for /a',
  ]);
  expect([refused('/a', theirs), refused('/b'), refused('/b')]).toEqual([
    undefined,
    undefined,
    'rate limit exceeded for /b',
  ]);
  for (let call = 0; call < 10; call++) expect([refused('/c'), refused('/d')]).toEqual([undefined, undefined]);
  expect(counted).toEqual([
    ['workload_api.rate_limit_exceeded', { method: '/a' }],
    ['workload_api.rate_limit_exceeded', { method: '/b' }],
  ]);
  await clock.advance(0.5);
  expect([refused('/a'), refused('/a')]).toEqual([undefined, 'rate limit exceeded for /a']);
});

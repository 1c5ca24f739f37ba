import dns from 'node:dns';
import { afterEach, expect, it, vi } from 'vitest';
import { systemResolver } from './resolve.ts';

type Callback = (error: Error | null, addresses: dns.LookupAddress[]) => void;

afterEach(() => vi.restoreAllMocks());

/** The system's resolver, which answers when it is told to. */
function heldLookup(): Map<string, Callback> {
  const held = new Map<string, Callback>();
  const lookup = (name: string, _options: unknown, callback: Callback) => void held.set(name, callback);
  vi.spyOn(dns, 'lookup').mockImplementation(lookup as unknown as typeof dns.lookup);
  return held;
}
const settle = () => new Promise((resolve) => setImmediate(resolve));

it('resolves two names at once, whatever strangers ask for, and none for who has given up', async () => {
  const held = heldLookup();
  const patient = new AbortController().signal;
  const short = new AbortController();
  const [a, b, c] = [
    systemResolver('a', patient),
    systemResolver('b', short.signal),
    systemResolver('c', short.signal),
  ];
  const d = systemResolver('d', patient);
  for (const each of [b, c]) each.catch(() => undefined);
  await settle();
  expect([...held.keys()]).toEqual(['a', 'b']);
  short.abort(new Error('enough'));
  for (const each of [b, c]) await expect(each).rejects.toThrow('enough');
  // The thread is still busy with b.
  await settle();
  expect([...held.keys()]).toEqual(['a', 'b']);
  held.get('b')?.(null, []);
  await settle();
  expect([...held.keys()]).toEqual(['a', 'b', 'd']);
  held.get('d')?.(null, [{ address: '192.0.2.1', family: 4 }]);
  expect(await d).toEqual([{ address: '192.0.2.1', family: 4 }]);
  held.get('a')?.(new Error('ENOTFOUND'), []);
  await expect(a).rejects.toThrow('ENOTFOUND');
  const last = systemResolver('e', patient);
  await settle();
  held.get('e')?.(null, []);
  expect(await last).toEqual([]);
});

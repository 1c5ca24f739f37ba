import type { EntryReach } from '@steeple/core';
import { SpiffeId } from '@steeple/spiffe';
import { describe, expect, it, vi } from 'vitest';
import { ChangeFeed, NO_REACH } from './change-feed.ts';
import { Watcher } from './watcher.ts';

const agent = (name: string, path = `/spire/agent/x/${name}`) => ({
  id: SpiffeId.parse(`spiffe://example.org${path}`),
  selectors: [{ type: 'node', value: name }],
});

const changed = (before: EntryReach, after: EntryReach) => ({
  id: 'e',
  entry: undefined,
  before,
  after,
  structural: true,
});
const below = (path: string): EntryReach => ({ paths: new Set([path]), aliases: [] });

describe('ChangeFeed', () => {
  it('asks only those a change is near to, however many watch', () => {
    const feed = new ChangeFeed();
    for (let n = 0; n < 1000; n += 1) feed.open(agent(String(n)));
    const asked = vi.spyOn(Watcher.prototype, 'isConcernedBy');
    feed.entryChanged(changed(below('/spire/agent/x/7'), below('/spire/agent/x/8')));
    expect(asked.mock.calls.length).toBeLessThan(5);
    asked.mockRestore();
  });

  it('asks everybody whether an alias stands for them', async () => {
    const feed = new ChangeFeed();
    const [one, other] = [feed.open(agent('1')), feed.open(agent('2'))];
    const alias = { selectors: [{ type: 'node', value: '2' }] };
    feed.entryChanged(changed(NO_REACH, { paths: new Set(), aliases: [alias] } as unknown as EntryReach));
    expect(await other.next(new AbortController().signal)).toEqual({ kind: 'resync' });
    expect(await one.next(AbortSignal.abort())).toBeUndefined();
  });

  it('bounds what one agent may hold, and counts what is closed only once', () => {
    const feed = new ChangeFeed();
    const held = Array.from({ length: 16 }, () => feed.open(agent('1')));
    expect(() => feed.open(agent('1'))).toThrow(/16 of these streams/);
    feed.open(agent('2')).close();
    for (const watcher of [...held, ...held]) watcher.close();
    expect(feed.watching).toBe(0);
    feed.open(agent('1'));
    expect(feed.watching).toBe(1);
  });
});

import { draftEntry, type EntryDraft, type RegistrationEntry, type Selector } from '@steeple/core';
import type { StoreChange } from '@steeple/plugins';
import { SpiffeId, TrustDomain } from '@steeple/spiffe';
import { FakeClock } from '@steeple/test-kit';
import { describe, expect, it } from 'vitest';
import { AuthorizedEntries } from './authorized-entries.ts';
import { ChangeFeed } from './change-feed.ts';

const TD = TrustDomain.parse('example.org');
const id = (path: string): SpiffeId => SpiffeId.of(TD, path);
const agent = (name: string, selectors: Selector[] = []) => ({ id: id(`/spire/agent/x/${name}`), selectors });

const entry = (name: string, parent: string, more: Partial<EntryDraft> = {}, revision = 0): RegistrationEntry => {
  const draft = draftEntry({
    spiffeId: id(`/${name}`),
    parentId: id(parent),
    selectors: [{ type: 'a', value: 'b' }],
    ...more,
  });
  return { ...draft, id: name, revision, createdAt: 1 };
};

const change = (put: RegistrationEntry[], removed: string[] = []): StoreChange => {
  const nothing = { put: [], removed: [] };
  return { entries: { put, removed }, agents: nothing, bundles: nothing };
};

const loaded = async (entries: RegistrationEntry[] = [], clock = new FakeClock()) => {
  const feed = new ChangeFeed(3);
  const authorized = new AuthorizedEntries(TD, feed, clock);
  await authorized.load({ list: async () => ({ items: entries, nextToken: '' }) });
  const idsOf = (who: ReturnType<typeof agent>): string[] => authorized.of(who).map((one) => one.id);
  return { feed, authorized, clock, idsOf };
};

describe('AuthorizedEntries', () => {
  it('refuses every question until it is loaded', async () => {
    const authorized = new AuthorizedEntries(TD, new ChangeFeed(), new FakeClock());
    expect(() => authorized.of(agent('1'))).toThrow(/initializing/);
    expect(() => authorized.finder(agent('1'))).toThrow(/initializing/);
  });

  it('keeps what changed while it was loading', async () => {
    const authorized = new AuthorizedEntries(TD, new ChangeFeed(), new FakeClock());
    await authorized.load({
      list: async ({ page } = {}) => {
        if (page?.token === '') return { items: [entry('old', '/spire/agent/x/1')], nextToken: '1' };
        authorized.apply(change([entry('new', '/spire/agent/x/1')], ['old']));
        return { items: [entry('late', '/spire/agent/x/2')], nextToken: '' };
      },
    });
    expect(authorized.of(agent('2')).map((one) => one.id)).toEqual(['late']);
    expect(authorized.of(agent('1')).map((one) => one.id)).toEqual(['new']);
  });

  it('hides entries that have expired but are not pruned yet', async () => {
    const { idsOf, authorized, clock } = await loaded([entry('w', '/spire/agent/x/1', { expiresAt: 1_893_456_010 })]);
    expect(idsOf(agent('1'))).toEqual(['w']);
    await clock.advance(10);
    expect(idsOf(agent('1'))).toEqual([]);
    expect(authorized.finder(agent('1'))('w')).toBeUndefined();
  });

  it('finds no entry by a foreign or hostile name', async () => {
    const { authorized } = await loaded([entry('w', '/spire/agent/x/1')]);
    for (const name of ['W', '__proto__', 'constructor', '', 'w '])
      expect(authorized.finder(agent('1'))(name)).toBeUndefined();
    expect(authorized.finder(agent('2'))('w')).toBeUndefined();
    expect(authorized.finder(agent('1'))('w')?.id).toBe('w');
  });
});

describe('ChangeFeed', () => {
  const never = new AbortController().signal;
  const ids = (event: Awaited<ReturnType<ReturnType<ChangeFeed['open']>['next']>>) =>
    event?.kind === 'changes' ? { put: event.entries.map((one) => one.id), removed: event.removed } : event?.kind;

  it('replaces earlier news of an entry by later news', async () => {
    const { feed, authorized } = await loaded();
    const watcher = feed.open(agent('1'));
    authorized.apply(change([entry('a', '/spire/agent/x/1'), entry('b', '/spire/agent/x/1')]));
    authorized.apply(change([entry('b', '/spire/agent/x/1', { hint: 'h' }, 1)], ['a']));
    expect(ids(await watcher.next(never))).toEqual({ put: ['b'], removed: ['a'] });
  });

  it('tells only whom it concerns, aliases included', async () => {
    const linux = [{ type: 'os', value: 'linux' }];
    const { feed, authorized } = await loaded([entry('fleet', '/spire/server', { selectors: linux })]);
    const [inside, outside] = [feed.open(agent('1', linux)), feed.open(agent('2'))];
    authorized.apply(change([entry('w', '/fleet')]));
    expect(ids(await inside.next(never))).toEqual({ put: ['w'], removed: [] });
    const quiet = new AbortController();
    const nothing = outside.next(quiet.signal);
    quiet.abort();
    expect(await nothing).toBeUndefined();
  });

  it('asks for a resync when more waits than fits, and then goes on telling', async () => {
    const { feed, authorized } = await loaded();
    const watcher = feed.open(agent('1'));
    for (let n = 0; n < 50; n++) authorized.apply(change([entry(`w${n}`, '/spire/agent/x/1')]));
    expect(ids(await watcher.next(never))).toBe('resync');
    authorized.apply(change([entry('late', '/spire/agent/x/1')]));
    expect(ids(await watcher.next(never))).toEqual({ put: ['late'], removed: [] });
  });

  it('asks for a resync when an entry with others below it comes, goes or moves', async () => {
    const { feed, authorized, idsOf } = await loaded([entry('child', '/group')]);
    const watcher = feed.open(agent('1'));
    const group = entry('group', '/spire/agent/x/1');
    authorized.apply(change([group]));
    expect(ids(await watcher.next(never))).toBe('resync');
    expect(idsOf(agent('1')).sort()).toEqual(['child', 'group']);
    authorized.apply(change([{ ...group, hint: 'only this', revision: 1 }]));
    expect(ids(await watcher.next(never))).toEqual({ put: ['group'], removed: [] });
    authorized.apply(change([{ ...group, spiffeId: id('/moved'), revision: 2 }]));
    expect(ids(await watcher.next(never))).toBe('resync');
    expect(idsOf(agent('1'))).toEqual(['group']);
  });

  it('ends after a ban, whatever was waiting, and follows new selectors', async () => {
    const linux = [{ type: 'os', value: 'linux' }];
    const { feed, authorized } = await loaded([entry('fleet', '/spire/server', { selectors: linux })]);
    const watcher = feed.open(agent('1'));
    const record = {
      attestationType: 'x',
      serial: '1',
      expiresAt: 0,
      newSerial: '',
      newExpiresAt: 0,
      canReattest: true,
      agentVersion: '',
    };
    feed.agentChanged({ ...record, ...agent('1', linux) });
    expect(ids(await watcher.next(never))).toBe('resync');
    authorized.apply(change([entry('w', '/fleet')]));
    feed.agentChanged({ ...record, ...agent('1', linux), serial: '' });
    await expect(watcher.next(never)).rejects.toMatchObject({ code: 'permission-denied', agentReason: 'banned' });
    watcher.close();
    expect(feed.watching).toBe(0);
  });
});

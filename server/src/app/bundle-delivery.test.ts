import { type AgentRecord } from '@steeple/core';
import { SpiffeId } from '@steeple/spiffe';
import { FakeClock } from '@steeple/test-kit';
import { beforeEach, describe, expect, it } from 'vitest';
import { BundleDelivery } from './bundle-delivery.ts';

const AGENT = 'spiffe://example.org/spire/agent/a';
const never = new AbortController().signal;
/** Seconds that one who has not asked is waited for. */
const LIVE = 30;
let clock: FakeClock;
let agents: AgentRecord[];
let delivery: BundleDelivery;

beforeEach(() => {
  clock = new FakeClock();
  agents = [];
  delivery = new BundleDelivery({ loadAll: async () => agents }, clock);
});

const record = (more: Partial<AgentRecord> = {}): AgentRecord => ({
  id: SpiffeId.parse(AGENT),
  attestationType: 'join_token',
  serial: '1',
  expiresAt: clock.now() + 3600,
  newSerial: '',
  newExpiresAt: 0,
  canReattest: false,
  agentVersion: '',
  selectors: [],
  ...more,
});

describe('BundleDelivery', () => {
  it('waits for who is live, and for nobody else', async () => {
    delivery.sent(AGENT, 3n);
    expect(await delivery.lagging(3n)).toEqual([]);
    expect(await delivery.lagging(4n)).toEqual([AGENT]);
    await clock.advance(LIVE);
    expect(await delivery.lagging(4n)).toEqual([]);
    const stop = delivery.listens(AGENT);
    await clock.advance(1000);
    expect(await delivery.lagging(4n)).toEqual([AGENT]);
    stop();
    await clock.advance(LIVE);
    expect(await delivery.lagging(4n)).toEqual([]);
  });

  it('counts agents that have not been heard of since the start, for as long as an agent is live', async () => {
    agents = [record()];
    expect(await delivery.lagging(1n)).toEqual([AGENT]);
    agents = [record({ expiresAt: clock.now() })];
    expect(await delivery.lagging(1n)).toEqual([]);
    agents = [record({ serial: '' })];
    expect(await delivery.lagging(1n)).toEqual([]);
    agents = [record()];
    await clock.advance(LIVE);
    expect(await delivery.lagging(1n)).toEqual([]);
  });

  it('gives a server below time to hand a bundle on, once for each bundle', async () => {
    const below = 'spiffe://example.org/site-a';
    delivery.sent(below, 3n, { isServer: true });
    expect(await delivery.lagging(3n)).toEqual([below]);
    await clock.advance(15);
    expect(await delivery.lagging(3n)).toEqual([]);
    delivery.sent(below, 5n, { isServer: true });
    expect(await delivery.lagging(3n)).toEqual([]);
    expect(await delivery.lagging(4n)).toEqual([below]);
    await clock.advance(10);
    delivery.sent(below, 5n, { isServer: true });
    await clock.advance(5);
    expect(await delivery.lagging(4n)).toEqual([]);
  });

  it('never believes that a bundle went back', async () => {
    delivery.sent(AGENT, 5n, { authorityId: 'x' });
    delivery.sent(AGENT, 4n);
    delivery.reported(AGENT, 2n);
    expect(delivery.list()).toMatchObject([{ id: AGENT, sequence: 5n, reported: 2n, authorityId: 'x', isLive: true }]);
  });

  it('ends a wait when all have caught up, or when the dead are dead', async () => {
    delivery.sent(AGENT, 3n);
    const caught = delivery.caughtUp(4n, never);
    await clock.advance(1);
    delivery.sent(AGENT, 4n);
    await clock.advance(1);
    expect(await caught).toEqual([]);
    delivery.listens(AGENT);
    expect(await clock.during(delivery.caughtUp(5n, never))).toEqual([AGENT]);
  });

  it('forgets who has not come for an hour', async () => {
    delivery.sent(AGENT, 3n);
    await clock.advance(3601);
    delivery.sent('spiffe://example.org/spire/agent/b', 3n);
    expect(delivery.list()).toHaveLength(1);
  });
});

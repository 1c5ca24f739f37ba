import { FakeClock, MemoryLogger } from '@steeple/test-kit';
import { describe, expect, it } from 'vitest';
import { checkValue } from '../config/check-config.ts';
import { type CheckState, HealthChecks, passesIf } from './health-checks.ts';
import { serveHealth } from './health-port.ts';
import { healthChecksSchema } from './health-schema.ts';

const well: CheckState = { live: true, ready: true, liveDetails: {}, readyDetails: {} };

const settings = (more: object = {}) =>
  checkValue(healthChecksSchema, { listener_enabled: true, bind_address: '127.0.0.1', bind_port: '0', ...more });

describe('health over HTTP', () => {
  it('tells live from ready, part by part', async () => {
    const checks = new HealthChecks({
      checks: {
        server: async () => well,
        'catalog.datastore': passesIf('list_bundle_err', async () => Promise.reject(new Error('disk is gone'))),
        slow: async () => ({ live: true, ready: false, readyDetails: { waits_for: 'upstream' } }),
      },
      clock: new FakeClock(),
      logger: new MemoryLogger(),
    });
    await using port = await serveHealth(checks, settings({ live_path: '/alive' }));
    const ask = async (path: string): Promise<unknown[]> => {
      const response = await fetch(`http://127.0.0.1:${port.port}${path}`);
      const text = await response.text();
      return [response.status, text === '' ? '' : JSON.parse(text)];
    };
    expect(await ask('/ready')).toEqual([500, { server: null, 'catalog.datastore': null, slow: null }]);
    await checks.check(new AbortController().signal);
    const ill = { list_bundle_err: 'disk is gone' };
    expect(await ask('/ready?verbose')).toEqual([
      500,
      { server: {}, 'catalog.datastore': ill, slow: { waits_for: 'upstream' } },
    ]);
    expect(await ask('/alive')).toEqual([500, { server: {}, 'catalog.datastore': ill, slow: null }]);
    expect(await ask('/live')).toEqual([404, '']);
  });
});

describe('rounds', () => {
  it('are close until all is well, far apart then, and nearer again when something fails', async () => {
    const clock = new FakeClock();
    const logger = new MemoryLogger();
    let ready = false;
    let rounds = 0;
    const check = async (): Promise<CheckState> => {
      rounds += 1;
      return { ...well, ready };
    };
    const checks = new HealthChecks({ checks: { server: check }, clock, logger });
    const end = new AbortController();
    const running = checks.run(end.signal);
    await clock.advance(0);
    await clock.advance(2.5);
    expect([rounds, checks.live, checks.ready]).toEqual([3, true, false]);
    ready = true;
    await clock.advance(1);
    expect([rounds, checks.ready]).toEqual([4, true]);
    ready = false;
    await clock.advance(60);
    expect([rounds, checks.ready]).toEqual([5, false]);
    ready = true;
    await clock.advance(5);
    expect([rounds, checks.ready]).toEqual([6, true]);
    end.abort();
    await expect(running).rejects.toThrow(/abort/i);
    const told = logger.records.map(({ message }) => message);
    expect(told).toEqual([
      'Health check failed',
      'Health check recovered',
      'Health check failed',
      'Health check recovered',
    ]);
  });

  it('end a check that hangs, and one that throws is no pass', async () => {
    const clock = new FakeClock();
    const checks = new HealthChecks({
      checks: {
        hangs: () => new Promise(() => {}),
        throws: () => Promise.reject(new Error('x')),
        works: async () => well,
      },
      clock,
      logger: new MemoryLogger(),
    });
    const round = checks.check(new AbortController().signal);
    await clock.settled();
    await clock.advance(30);
    await round;
    expect(checks.details('ready')).toEqual({
      hangs: { error: 'no answer within 30 seconds' },
      throws: null,
      works: {},
    });
    expect(checks.ready).toBe(false);
  });
});

describe('settings', () => {
  it('have the defaults of SPIRE', () => {
    expect(checkValue(healthChecksSchema, {})).toEqual({
      listener_enabled: false,
      bind_address: 'localhost',
      bind_port: 80,
      live_path: '/live',
      ready_path: '/ready',
    });
  });

  it.each([{ bind_port: '99999' }, { bind_port: 'http' }, { live_path: 'live' }, { live_path: '/ready' }])(
    'refuse %j',
    (wrong) => {
      expect(() => settings(wrong)).toThrow(/bind_port|_path/);
    },
  );
});

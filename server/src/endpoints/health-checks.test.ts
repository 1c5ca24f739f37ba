import type { AuthoritySlot } from '@steeple/core';
import type { CheckState } from '@steeple/daemon/health';
import { TrustDomain } from '@steeple/spiffe';
import { FakeClock } from '@steeple/test-kit';
import { expect, it } from 'vitest';
import { type HealthCheckParts, serverHealthChecks } from './health-checks.ts';

const clock = new FakeClock();
const active = { issuedAt: clock.now(), notAfter: clock.now() + 1200 } as AuthoritySlot;

const check = (name: string, more: Partial<HealthCheckParts> = {}): Promise<CheckState | undefined> => {
  const checks = serverHealthChecks({
    trustDomain: TrustDomain.parse('example.org'),
    socketPath: '/nonexistent/api.sock',
    ca: { signX509: async () => 'signed' },
    rotation: { state: () => ({ active }) },
    bundles: { count: async () => 1 },
    clock,
    ...more,
  });
  return Promise.resolve(checks[name]?.(new AbortController().signal));
};

const broken = async (): Promise<never> => {
  throw new Error('the disk is full');
};

it('each part tells what is wrong with it', async () => {
  const details = { list_bundle_err: 'the disk is full' };
  const ill = { live: false, ready: false, liveDetails: details, readyDetails: details };
  expect(await check('catalog.datastore', { bundles: { count: broken } })).toEqual(ill);
  expect(await check('server.ca', { ca: { signX509: broken } })).toMatchObject({
    ready: false,
    readyDetails: { sign_x509_svid_err: 'the disk is full' },
  });
  expect(await check('server')).toMatchObject({ ready: false, readyDetails: { get_bundle_err: expect.any(String) } });
  expect(await check('server.ca')).toMatchObject({ live: true, ready: true });
  expect(await check('catalog.datastore')).toMatchObject({ live: true, ready: true });
});

it('an authority that should have been replaced is seen', async () => {
  expect(await check('server.ca.rotator')).toMatchObject({ ready: true });
  await clock.advance(1080);
  expect(await check('server.ca.rotator')).toMatchObject({ ready: true });
  await clock.advance(30);
  const { readyDetails } = (await check('server.ca.rotator')) ?? {};
  expect(readyDetails).toEqual({ rotation_err: 'the active X.509 authority should have been replaced by now' });
  const none = { state: () => ({}) };
  expect(await check('server.ca.rotator', { rotation: none })).toMatchObject({ live: false });
});

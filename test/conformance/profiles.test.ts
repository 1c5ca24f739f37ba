// A Workload API of which the operator has switched a profile off.
import { Code } from '@steeple/proto/grpc';
import { expect, it } from 'vitest';
import { createEntry, first, HEADER, stackWorld, statusOf } from './stack-world.ts';

const world = stackWorld({ agent: { disabled_profiles: ['jwt'] } });

it('[WAPI-02] answers Unimplemented for a profile that is switched off, to strangers too, and serves the others', async () => {
  const { workload } = world;
  const jwt = () => [
    workload.fetchJWTSVID({ audience: ['y'] }, HEADER),
    workload.validateJWTSVID({ audience: 'y', svid: 'x' }, HEADER),
    workload.fetchJWTBundles({}, HEADER),
  ];
  const statuses = async () => Promise.all(jwt().map(statusOf));
  expect(await statuses()).toEqual(Array(3).fill(Code.UNIMPLEMENTED));

  await createEntry(world, { path: '/x' });
  await expect.poll(() => statusOf(workload.fetchX509SVID({}, HEADER)), { timeout: 20_000 }).toBe(0);
  const { svids } = await first(workload.fetchX509SVID({}, HEADER));
  expect(svids.map(({ spiffeId }) => spiffeId)).toEqual(['spiffe://a.test/x']);
  const { bundles } = await first(workload.fetchX509Bundles({}, HEADER));
  expect(Object.keys(bundles)).toEqual(['spiffe://a.test']);
  expect(await statuses()).toEqual(Array(3).fill(Code.UNIMPLEMENTED));
});

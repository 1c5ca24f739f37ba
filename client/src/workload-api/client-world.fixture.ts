// Two trust domains, and for each test a Workload API with a client of it.
import { afterEach, beforeAll, beforeEach } from 'vitest';
import { FakeWorkloadApi } from '../testing/fake-workload-api.ts';
import { TestTrustDomain } from '../testing/test-trust-domain.ts';
import { WorkloadApiClient } from './workload-api-client.ts';

export let a: TestTrustDomain;
export let b: TestTrustDomain;
export let api: FakeWorkloadApi;
export let client: WorkloadApiClient;

/** Makes them when the tests of a file run. */
export function useClientWorld(): void {
  beforeAll(async () => {
    [a, b] = await Promise.all([TestTrustDomain.create('a.test'), TestTrustDomain.create('b.test')]);
  });

  beforeEach(async () => {
    api = await FakeWorkloadApi.start();
    client = new WorkloadApiClient({ address: api.address });
  });

  afterEach(async () => {
    await client.close();
    await api.close();
  });
}

// Mode `spiffe`: an agent attests with the SVID that another agent gave it.

import { FakeWorkloadApi, TestTrustDomain } from '@steeple/client/testing';
import { silentLogger, systemClock } from '@steeple/daemon';
import { BundleSet, TrustBundle } from '@steeple/spiffe';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IN_MEMORY } from '../../datastore/sqlite/open.ts';
import { SqliteDatastore } from '../../datastore/sqlite/sqlite-datastore.ts';
import { attest, ChannelPair } from '../channel-for-tests.ts';
import type { NodeProver, NodeVerifier } from '../node-attestor.ts';
import { x509popProver, x509popVerifier } from '../x509pop.ts';

let home: TestTrustDomain;
let other: FakeWorkloadApi;
let bundles: BundleSet;
beforeEach(async () => {
  [home, other] = await Promise.all([TestTrustDomain.create('example.org'), FakeWorkloadApi.start()]);
  bundles = BundleSet.of(home.bundle);
});
afterEach(() => other[Symbol.asyncDispose]());

const host = () => ({
  logger: silentLogger,
  clock: systemClock,
  trustDomain: home.trustDomain,
  bundles,
  joinTokens: SqliteDatastore.open(IN_MEMORY, silentLogger).joinTokens,
});
const verifier = (config: object = {}): Promise<NodeVerifier> =>
  x509popVerifier.create(x509popVerifier.schema.parse({ mode: 'spiffe', ...config }), host());
const prover = (config: object = { spiffe_endpoint_socket: other.address }): Promise<NodeProver> =>
  x509popProver.create(x509popProver.schema.parse(config), host());
async function give(...paths: string[]): Promise<void> {
  other.issue({ svids: await Promise.all(paths.map((path) => home.x509Svid(path))), bundles: [home.bundle] });
}

describe('x509pop with an SVID of the Workload API', () => {
  it('attests, each time with the SVID of the moment, the first of several', async () => {
    await give('/spire-exchange/node-1', '/spire-exchange/other');
    const agent = await prover();
    const server = await verifier();
    expect((await attest(agent, server)).agentId.path).toBe('/spire/agent/x509pop/node-1');
    await give('/spire-exchange/node-2');
    expect((await attest(agent, server)).agentId.path).toBe('/spire/agent/x509pop/node-2');
  });

  it('takes any SVID of the trust domain with an empty prefix', async () => {
    await give('/workload/x');
    await expect(attest(await prover(), await verifier())).rejects.toMatchObject({ code: 'permission-denied' });
    for (const name of ['svid_prefix', 'spiffe_prefix']) {
      const node = await attest(await prover(), await verifier({ [name]: '' }));
      expect(node.agentId.path).toBe('/spire/agent/x509pop/workload/x');
    }
  });

  it('believes no authority that is known to be compromised', async () => {
    await give('/spire-exchange/node-1');
    const tainted = home.bundle.x509Authorities.map(({ certificate }) => ({ certificate, tainted: true }));
    bundles.set(TrustBundle.of(home.trustDomain, { x509Authorities: tainted }));
    await expect(attest(await prover(), await verifier())).rejects.toMatchObject({ code: 'permission-denied' });
  });

  it('may try again later when there is no SVID or no agent', async () => {
    const proving = async () => (await prover()).prove(new ChannelPair().agent, AbortSignal.timeout(5000));
    other.x509.publish({ svids: [] } as never);
    await expect(proving()).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('no SVID') });
    const aborted = AbortSignal.abort(new Error('shutting down'));
    await expect((await prover()).prove(new ChannelPair().agent, aborted)).rejects.toThrow('shutting down');
  });

  it.each([
    [{ spiffe_endpoint_socket: '/run/api.sock' }, 'spiffe_endpoint_socket'],
    [{ spiffe_endpoint_socket: 'http://x' }, 'spiffe_endpoint_socket'],
  ])('%j names no Workload API', async (config, message) => {
    await expect(prover(config)).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringContaining(message),
    });
  });

  it.each([
    {},
    { private_key_path: 'k' },
    { certificate_path: 'c' },
    { spiffe_endpoint_socket: 'unix:///a', certificate_path: 'c', private_key_path: 'k' },
    { spiffe_endpoint_socket: 'unix:///a', intermediates_path: 'i' },
  ])('%j is refused by the schema', (config) => {
    expect(x509popProver.schema.safeParse(config).success).toBe(false);
  });
});

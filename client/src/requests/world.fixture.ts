// A trust domain, a fake Workload API and an https server for the tests of this folder.
import type { RequestListener } from 'node:http';
import { BundleSet } from '@steeple/spiffe';
import { JwtSource } from '../sources/jwt-source.ts';
import { WitSource } from '../sources/wit-source.ts';
import { FakeWorkloadApi } from '../testing/fake-workload-api.ts';
import { TestTrustDomain } from '../testing/test-trust-domain.ts';
import { jwtResponse } from '../testing/wire-state.ts';
import { createHttpsServer } from '../tls/create-server.ts';
import { anyone, listening, SettableSvid } from '../tls/fixture.ts';
import { spiffeFetch } from '../tls/spiffe-fetch.ts';

/** Sources of the workload `/client` of a.test, tokens judged with the bundle. */
export async function requestWorld() {
  const a = await TestTrustDomain.create('a.test');
  const api = await FakeWorkloadApi.start();
  const svid = await a.x509Svid('/client');
  api.issue({ svids: [svid], bundles: [a.bundle], wits: [await a.witSvid('/client')] });
  api.answerJwt = async (audience) => jwtResponse([await a.jwtSvid('/client', audience)]);
  const jwts = await JwtSource.open({ address: api.address, validation: 'local' });
  const wits = await WitSource.open({ address: api.address });
  const bundles = BundleSet.of(a.bundle);
  const fetch = spiffeFetch({ bundles, ...anyone });
  const closers: (() => unknown)[] = [];

  /** Origin of a server that asks for no client certificate. */
  const serve = async (handle: RequestListener): Promise<string> => {
    const options = { svid: new SettableSvid(await a.x509Svid('/web')), bundles, ...anyone };
    const server = await listening(createHttpsServer({ ...options, clientCertificate: 'none' }, handle));
    closers.push(() => (server.closeAllConnections(), server.close()));
    return `https://localhost:${server.port}`;
  };
  const close = async () => {
    fetch[Symbol.dispose]();
    for (const closer of closers) closer();
    await Promise.all([jwts.close(), wits.close()]);
    await api.close();
  };
  return { a, api, jwts, wits, bundles, fetch, serve, [Symbol.asyncDispose]: close };
}

// SVIDs through the server's API, against the signatures they cannot do without.
import { generateKey, localSigner, makeCsr } from '@steeple/spiffe';
import type { Stack } from '../stack/stack.ts';
import { bareSign, bareSignAndVerify } from './bare.ts';
import { entryBelow, joinAsAgent } from './bench-agent.ts';
import { type Figure, percent, perSecond } from './figures.ts';
import { perUnit, spend, unitRate } from './load.ts';

/** Units per second and the server's processor time per unit. */
async function load(pid: number, seconds: number, width: number, units: number, work: () => Promise<void>) {
  const spent = await spend(pid, seconds, { width, units, call: work });
  return { rate: unitRate(spent), cpu: perUnit(spent) };
}

export async function issuance(stack: Stack): Promise<Figure[]> {
  const pid = stack.server.child.pid ?? 0;
  const agent = await joinAsAgent(stack);
  const entryId = await entryBelow(stack, agent);
  const csr = new Uint8Array(await makeCsr(localSigner(generateKey('ec-p256')), {}));
  const params = Array.from({ length: 50 }, () => ({ entryId, csr }));
  const batch = async (): Promise<void> => {
    const { results } = await agent.svids.batchNewX509SVID({ params });
    if (results.some(({ status, svid }) => status?.code !== 0 || svid === undefined))
      throw new Error('an SVID was refused');
  };
  const token = async (): Promise<void> => {
    const { svid } = await agent.svids.newJWTSVID({ entryId, audience: ['bench'] });
    if (svid === undefined) throw new Error('a token was refused');
  };
  await load(pid, 2, 4, 50, batch);
  await load(pid, 2, 32, 1, token);
  const both = bareSignAndVerify(2);
  const x509 = await load(pid, 5, 4, 50, batch);
  const signs = bareSign(2);
  const jwt = await load(pid, 5, 32, 1, token);
  agent.svids.close();
  agent.bundles.close();
  return [
    {
      what: 'X509-SVIDs issued through the API, 4 calls of 50 in flight',
      value: `${perSecond(x509.rate)}, ${Math.round(x509.cpu * 1e6)} µs of the server's CPU each`,
      against: `${percent(x509.rate / both)} of bare P-256 sign + verify, one thread (${perSecond(both)}); aim 50 %`,
    },
    {
      what: 'JWT-SVIDs issued through the API, 32 calls in flight',
      value: `${perSecond(jwt.rate)}, ${Math.round(jwt.cpu * 1e6)} µs of the server's CPU each`,
      against: `${percent(jwt.rate / signs)} of bare P-256 sign, one thread (${perSecond(signs)})`,
    },
  ];
}

import { spkiOf } from '@steeple/client';
import { ensure } from '../case.ts';
import { expectOutcome } from '../spire/outcome.ts';
import { newKey, publicDer } from '../spire/remote.ts';
import { wireId } from '../spire/server-unit.ts';
import { EACH_SERVER, type Suite } from '../spire/suite.ts';

/** SPIRE's `fetch-wit-svids`: WIT authorities exist with the feature flag only, and then WIT-SVIDs can be minted. */
export const fetchWitSvids: Suite = {
  name: 'fetch-wit-svids',
  pairings: EACH_SERVER,
  run: async (site, pairing) => {
    const server = await site.server(pairing.server);
    const key = newKey();
    const request = { id: wireId(server.id('/workload')), publicKey: publicDer(key), signingAlgorithm: 'ES256' };
    const mint = () => server.api.svid.mintWITSVID(request, { deadline: 10 });
    const bundle = () => server.api.bundle.getBundle({}, { deadline: 10 });
    ensure((await bundle()).witAuthorities.length === 0, 'no WIT authority without the flag');
    await expectOutcome('mint without the flag', mint(), /^(Unimplemented|FailedPrecondition|Unavailable): /);

    await server.process.stop();
    await server.writeConfig({ experimental: { feature_flags: ['wit-svid'] } });
    await server.start();
    const { witAuthorities, jwtAuthorities } = await bundle();
    ensure(witAuthorities.length > 0, 'WIT authorities with the flag');
    const { svid } = await mint();
    const [header = '', claims = ''] = (svid?.token ?? '').split('.');
    const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
    ensure(read(header)['typ'] === 'wit+jwt', `typ is wit+jwt: ${JSON.stringify(read(header))}`);
    ensure(
      witAuthorities.some(({ keyId }) => keyId === read(header)['kid']),
      'a WIT authority signed it',
    );
    ensure(!jwtAuthorities.some(({ keyId }) => keyId === read(header)['kid']), 'and no JWT authority');
    ensure(read(claims)['sub'] === server.id('/workload'), 'it is of the workload');
    const { x } = (read(claims)['cnf'] as { jwk: { x: string } }).jwk;
    ensure(Buffer.from(x, 'base64url').equals(Buffer.from(spkiOf(key).subarray(-64, -32))), 'and bound to its key');
  },
};

import { SpiffeId } from '@steeple/client';
import { ensure } from '../case.ts';
import { fetchJwt, hasX509 } from '../spire/checks.ts';
import { handshake, type Party } from '../spire/handshake.ts';
import type { Suite } from '../spire/suite.ts';

const self = `unix:uid:${process.getuid?.()}`;
const ROUNDS = [
  { ca: 'ec-p384', jwt: 'rsa-2048', workload: 'rsa-2048', key: 'rsa', alg: 'RS256' },
  { ca: 'rsa-2048', jwt: 'ec-p384', workload: 'ec-p384', key: 'ec', alg: 'ES384' },
] as const;

/** Every kind of key that can be configured, on both sides: SVIDs of the asked kind, that OpenSSL and the agents accept. */
export const keyTypes: Suite = {
  name: 'key-types',
  run: async (site, pairing) => {
    for (const { ca, jwt, workload, key, alg } of ROUNDS) {
      const server = await site.server(pairing.server, { settings: { ca_key_type: ca, jwt_key_type: jwt } });
      const agent = await site.agent(pairing.agent, server, { settings: { workload_x509_svid_key_type: workload } });
      const ids = [server.id('/here'), server.id('/there')] as const;
      for (const id of ids) await server.createEntry(id, agent.id, [self]);
      const party = async (id: string): Promise<Party> => {
        const { svid, context } = await hasX509(agent, id);
        ensure(
          svid.privateKey.asymmetricKeyType === key,
          `a key of kind ${key}, not ${svid.privateKey.asymmetricKeyType}`,
        );
        return { svid, bundles: context.bundles };
      };
      await handshake(await party(ids[0]), await party(ids[1]));
      const token = await fetchJwt(agent, SpiffeId.parse(ids[0]));
      const header = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { alg: string };
      ensure(header.alg === alg, `the token is signed with ${alg}, not ${header.alg}`);
    }
  },
};

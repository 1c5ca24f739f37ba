import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { SpiffeId } from '@steeple/client';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { Process } from '../../stack/process.ts';
import { ensure } from '../case.ts';
import { spireProgram } from '../peers/spire.ts';
import { eventually, fetchJwt, hasX509 } from '../spire/checks.ts';
import { wireId } from '../spire/server-unit.ts';
import type { Site } from '../spire/site.ts';
import type { Suite } from '../spire/suite.ts';
import { type Block, hcl } from '../spire/write-hcl.ts';

const self = `unix:uid:${process.getuid?.()}`;
const issuer = 'https://localhost';

/**
 * SPIRE's `oidc-discovery-provider` with the real provider: on the server's socket and on the agent's, it publishes the keys
 * of the bundle. Stronger than there: jose verifies real tokens with them, also after the keys changed.
 */
export const oidcDiscoveryProvider: Suite = {
  name: 'oidc-discovery-provider',
  run: async (site, pairing) => {
    const server = await site.server(pairing.server, { settings: { jwt_issuer: issuer } });
    const agent = await site.agent(pairing.agent, server);
    const id = SpiffeId.parse(server.id('/oidc-provider'));
    await server.createEntry(id.toString(), agent.id, [self]);
    await hasX509(agent, id.toString());
    const poll_interval = '1s';
    const ofServer = await provider(site, { server_api: { address: `unix://${server.adminSocket}`, poll_interval } });
    const ofAgent = await provider(site, {
      workload_api: { socket_path: agent.socket, trust_domain: server.trustDomain.name, poll_interval },
    });

    const keyIds = async () =>
      (await server.api.bundle.getBundle({}, { deadline: 10 })).jwtAuthorities.map(({ keyId }) => keyId).sort();
    const publishTheSame = async () => {
      const expected = (await keyIds()).join();
      for (const socket of [ofServer, ofAgent]) {
        await eventually('the provider publishes the keys of the bundle', async () => {
          const { keys } = await get<JSONWebKeySet>(socket, '/keys');
          const found = keys.map(({ kid }) => kid ?? '').sort();
          return found.join() === expected ? true : undefined;
        });
      }
    };
    const verify = async (token: string) => {
      for (const socket of [ofServer, ofAgent]) {
        const keys = createLocalJWKSet(await get<JSONWebKeySet>(socket, '/keys'));
        const { payload } = await jwtVerify(token, keys, { audience: 'somebody', issuer });
        ensure(payload.sub === id.toString(), `the token is of ${id}, not ${payload.sub}`);
      }
    };
    await publishTheSame();
    for (const socket of [ofServer, ofAgent]) {
      const document = await get<Record<string, unknown>>(socket, '/.well-known/openid-configuration');
      ensure(document['issuer'] === issuer && document['jwks_uri'] === `${issuer}/keys`, JSON.stringify(document));
    }
    const first = await fetchJwt(agent, id);
    await verify(first);

    const { authority } = server.api;
    const { preparedAuthority } = await authority.prepareJWTAuthority({}, { deadline: 10 });
    await publishTheSame();
    await authority.activateJWTAuthority({ authorityId: preparedAuthority?.authorityId ?? '' }, { deadline: 10 });
    const minted = await server.api.svid.mintJWTSVID(
      { id: wireId(id.toString()), audience: ['somebody'], ttl: 60 },
      { deadline: 10 },
    );
    await verify(minted.svid?.token ?? '');
    await verify(first);
  },
};

/** Starts a provider and returns its socket. */
async function provider(site: Site, source: Block): Promise<string> {
  const folder = site.folder('oidc');
  const listen_socket_path = `${folder}.sock`;
  const config = `${folder}.conf`;
  await writeFile(config, hcl({ log_level: 'DEBUG', domains: ['localhost'], listen_socket_path, ...source }));
  const process = site.watch(
    new Process('oidc-provider', await spireProgram('oidc-discovery-provider'), ['-config', config]),
  );
  await eventually('the provider answers', async () => {
    if (!process.running) throw new Error(process.tail(3));
    return get(listen_socket_path, '/keys');
  });
  return listen_socket_path;
}

function get<T>(socketPath: string, path: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, headers: { host: 'localhost' } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => {
        if (response.statusCode !== 200) reject(new Error(`${path}: ${response.statusCode} ${text}`));
        else resolve(JSON.parse(text) as T);
      });
    });
    asked.on('error', reject).end();
  });
}

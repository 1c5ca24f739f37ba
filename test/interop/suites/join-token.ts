import { existsSync } from 'node:fs';
import { SpiffeId } from '@steeple/client';
import { ensure } from '../case.ts';
import { fetchJwt, hasX509 } from '../spire/checks.ts';
import type { Suite } from '../spire/suite.ts';

/** SPIRE's `join-token`: a token lets one agent in once, under its own id and under the name it was made for. */
export const joinToken: Suite = {
  name: 'join-token',
  run: async (site, pairing) => {
    const server = await site.server(pairing.server);
    const token = await server.joinToken(server.id('/node'));
    const agent = await site.agent(pairing.agent, server, { joinToken: token });
    ensure(
      (await server.agentIds()).join() === agent.id,
      `the only agent is ${agent.id}, not ${await server.agentIds()}`,
    );

    const id = server.id('/workload');
    await server.createEntry(id, server.id('/node'), [`unix:uid:${process.getuid?.()}`]);
    await hasX509(agent, id);
    await fetchJwt(agent, SpiffeId.parse(id));

    // A second agent with the same token, and nothing of the first one's.
    const late = await site.idleAgent(pairing.agent, server, { joinToken: token });
    await late.launch();
    await late.process.line(/join token does not exist or has already been used/);
    ensure(!existsSync(late.socket), 'an agent without a valid token serves nobody');
    ensure((await server.agentIds()).length === 1, 'the server has no second agent');
    await hasX509(agent, id);
  },
};

/** A token is what an agent attests with, whatever node attestor is configured beside it. */
export const joinTokenBeside: Suite = {
  name: 'join-token beside x509pop',
  run: async (site, pairing) => {
    const server = await site.server(pairing.server);
    const { certificatePath, keyPath } = await server.nodes.issue();
    const x509pop = { certificate_path: certificatePath, private_key_path: keyPath };
    const joinToken = await server.joinToken();
    const agent = await site.agent(pairing.agent, server, { joinToken, plugins: { NodeAttestor: { x509pop } } });
    ensure((await server.agentIds()).join() === agent.id, `${agent.id}, not ${await server.agentIds()}`);
  },
};

import { connect } from 'node:tls';
import { ensure } from '../case.ts';
import { hasX509 } from '../spire/checks.ts';
import type { ServerUnit } from '../spire/server-unit.ts';
import type { Suite } from '../spire/suite.ts';

const self = `unix:uid:${process.getuid?.()}`;
const experimental = { require_pq_kem: true };

/** With `require_pq_kem` on both sides they agree on a hybrid key exchange, and our server refuses who offers none. */
export const postQuantum: Suite = {
  name: 'post-quantum',
  run: async (site, pairing) => {
    const server = await site.server(pairing.server, { settings: { experimental } });
    const agent = await site.agent(pairing.agent, server, {
      settings: { experimental: { ...experimental, sync_interval: '1s' } },
    });
    await server.createEntry(server.id('/workload'), agent.id, [self]);
    await hasX509(agent, server.id('/workload'));
    ensure(await accepts(server, 'X25519MLKEM768'), 'a client with a hybrid exchange is served');
    // SPIRE's server reads the setting and does not apply it to this port.
    const expected = pairing.server === 'spire';
    for (const classical of ['X25519', 'P-256']) {
      const found = await accepts(server, classical);
      ensure(found === expected, `a client that offers ${classical} only is ${expected ? 'served' : 'refused'}`);
    }
  },
};

function accepts(server: ServerUnit, curve: string): Promise<boolean> {
  return new Promise((resolve) => {
    const options = { host: '127.0.0.1', port: server.port, ecdhCurve: curve, rejectUnauthorized: false };
    const socket = connect({ ...options, ALPNProtocols: ['h2'] });
    socket.once('secureConnect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

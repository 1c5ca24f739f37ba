import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { authorizeId, spiffeChannelCredentials } from '@steeple/client/tls';
import { serverId } from '@steeple/core';
import { Code, createClient } from '@steeple/proto/grpc';
import { agentV1 } from '@steeple/proto/server-api';
import { BundleSet } from '@steeple/spiffe';
import { describe, expect, it } from 'vitest';
import { attestMessages, newRequest, TestServer, TRUST_DOMAIN } from '../testing/test-server.ts';
import { trustedRanges } from './proxy-front.ts';

const LINE = 'PROXY TCP4 192.0.2.77 127.0.0.1 4711 443\r\n';

const dial = async (server: TestServer): Promise<Socket> => {
  const socket = createConnection(server.running.addresses.port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
};

/** The protocol that a handshake behind these words agrees on; undefined when the server hangs up. */
const handshake = async (server: TestServer, ...words: (string | Buffer)[]): Promise<TLSSocket | undefined> => {
  const raw = await dial(server);
  const gone = once(raw, 'close').then(() => undefined);
  raw.resume();
  for (const word of words) {
    raw.write(word);
    await new Promise((done) => setTimeout(done, 10));
  }
  const tls = connectTls({ socket: raw, rejectUnauthorized: false, ALPNProtocols: ['h2'] });
  tls.on('error', () => {});
  const agreed = new Promise<TLSSocket | undefined>((resolve) => {
    tls.once('secureConnect', () => resolve(tls));
    for (const end of ['close', 'error', 'end']) tls.once(end, () => resolve(undefined));
  });
  return Promise.race([agreed, gone]);
};

/** Passes connections on with a header before them, as a load balancer does. */
class Balancer implements AsyncDisposable {
  readonly #server: TestServer;
  readonly #front: Server;

  private constructor(server: TestServer, front: Server) {
    this.#server = server;
    this.#front = front;
  }

  static async before(server: TestServer): Promise<Balancer> {
    const front = createServer((client) => {
      const behind = createConnection(server.running.addresses.port, '127.0.0.1');
      behind.write(LINE);
      client.pipe(behind).pipe(client);
      for (const socket of [client, behind]) socket.on('error', () => {});
    });
    front.listen(0, '127.0.0.1');
    await once(front, 'listening');
    return new Balancer(server, front);
  }

  async attest(token: string): Promise<void> {
    const channel = spiffeChannelCredentials({
      bundles: BundleSet.of(await this.#server.bundle()),
      authorize: authorizeId(serverId(TRUST_DOMAIN)),
      now: () => Date.now() / 1000,
    });
    const { port } = this.#front.address() as AddressInfo;
    const client = createClient(agentV1.Agent, { address: `127.0.0.1:${port}`, credentials: channel });
    try {
      const { csr } = await newRequest();
      await client.attestAgent(attestMessages(token, csr))[Symbol.asyncIterator]().next();
    } finally {
      client.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#front.close();
  }
}

describe('with a trusted proxy', () => {
  it('takes its word about the source, once, and serves clients that come directly', async () => {
    await using server = await TestServer.start({
      proxy_protocol_trusted_cidrs: ['127.0.0.0/8'],
      audit_log_enabled: true,
      ratelimit: { attestation: true, signing: true },
    });
    for (const words of [[LINE], [], [LINE.slice(0, 3), LINE.slice(3)], ['PROXY UNKNOWN\r\n']]) {
      const socket = await handshake(server, ...words);
      expect(socket?.alpnProtocol).toBe('h2');
      socket?.destroy();
    }
  });

  it.each([['PROXY TCP4 nonsense\r\n'], [`${LINE}${LINE}`], ['PROXY '.padEnd(200, 'x')]])(
    'ends a connection that begins with %j',
    async (words) => {
      await using server = await TestServer.start({ proxy_protocol_trusted_cidrs: ['127.0.0.1/32'] });
      expect(await handshake(server, words)).toBeUndefined();
    },
  );

  it('knows callers by the address that the proxy names', async () => {
    await using server = await TestServer.start({
      proxy_protocol_trusted_cidrs: ['127.0.0.1/32'],
      audit_log_enabled: true,
    });
    await using balancer = await Balancer.before(server);
    await expect(balancer.attest('no such token')).rejects.toMatchObject({ code: Code.INVALID_ARGUMENT });
    const lines = server.logger.text.split('\n').filter((line) => line.includes('AttestAgent'));
    expect(lines.join('\n')).toContain('192.0.2.77');
    expect(lines.join('\n')).not.toContain('127.0.0.1');
  });
});

it('is nobody’s word without a trusted range, or from outside of it', async () => {
  await using open = await TestServer.start();
  expect(await handshake(open, LINE)).toBeUndefined();
  await using other = await TestServer.start({ proxy_protocol_trusted_cidrs: ['192.0.2.0/24'] });
  expect(await handshake(other, LINE)).toBeUndefined();
  expect((await handshake(other))?.alpnProtocol).toBe('h2');
});

describe('trustedRanges', () => {
  it('holds addresses of both families', () => {
    const ranges = trustedRanges(['10.0.0.0/8', '2001:db8::/32']);
    expect([ranges.check('10.9.9.9'), ranges.check('11.0.0.1')]).toEqual([true, false]);
    expect([ranges.check('2001:db8::1', 'ipv6'), ranges.check('2001:db9::1', 'ipv6')]).toEqual([true, false]);
  });

  it.each(['10.0.0.0', '10.0.0.0/33', '10.0.0/8', 'example.org/8', '::/129', '10.0.0.0/-1', ''])(
    'refuses %j',
    (cidr) => {
      expect(() => trustedRanges([cidr])).toThrow('is not a range of addresses');
    },
  );
});

import { createServer } from 'node:net';
import { createServer as createPlainServer, type TLSSocket } from 'node:tls';
import { SpiffeId } from '@steeple/spiffe';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { authorizeId, authorizeMemberOf, authorizeOneOf } from './authorize.ts';
import { connectTls, type SpiffeClientOptions } from './connect.ts';
import { createTlsServer } from './create-server.ts';
import { anyone, closed, listening, SettableSvid, type TwoDomains, twoDomains } from './fixture.ts';
import { peerChain } from './peer-chain.ts';
import type { SpiffeServerOptions } from './server-guard.ts';
import { contextOptions } from './svid-context.ts';
import type { VerifiedPeer } from './verify-peer.ts';

let domains: TwoDomains;
const cleanups: (() => Promise<void>)[] = [];

beforeAll(async () => {
  domains = await twoDomains();
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

/** A server of a.test that greets whoever it admits; what it refused is kept. */
async function serve(options: Partial<SpiffeServerOptions> = {}) {
  const svid = new SettableSvid(await domains.a.x509Svid('/server'));
  const refused: Error[] = [];
  const admitted: (VerifiedPeer | undefined)[] = [];
  const server = await listening(
    createTlsServer(
      { svid, bundles: domains.onlyA, ...anyone, onRefused: (error) => refused.push(error), ...options },
      (socket, peer) => {
        admitted.push(peer);
        socket.on('error', () => {}).end('hello');
      },
    ),
  );
  cleanups.push(() => closed(server));
  return { port: server.port, svid, refused, admitted };
}

async function clientOf(options: Partial<SpiffeClientOptions> = {}): Promise<SpiffeClientOptions> {
  return { svid: new SettableSvid(await domains.a.x509Svid('/client')), bundles: domains.onlyA, ...anyone, ...options };
}

async function greeting(socket: TLSSocket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => {});
  await ended;
  return Buffer.concat(chunks).toString();
}

const to = (port: number) => ({ host: '127.0.0.1', port });

describe('a post-quantum key exchange', () => {
  it('can be required of a server', async () => {
    const ours = await clientOf({ requirePostQuantum: true });
    const { port } = await serve();
    const { socket } = await connectTls(to(port), ours);
    expect(socket.getEphemeralKeyInfo()).toMatchObject({ name: 'X25519MLKEM768' });
    expect(await greeting(socket)).toBe('hello');
    const svid = await domains.a.x509Svid('/server');
    const old = await listening(createPlainServer({ ...contextOptions(svid), ecdhCurve: 'X25519' }));
    cleanups.push(() => closed(old));
    await expect(connectTls(to(old.port), ours)).rejects.toThrow();
    const { socket: classical } = await connectTls(to(old.port), await clientOf());
    classical.destroy();
  });
});

describe('both sides', () => {
  it('learn who the other is', async () => {
    const { port, admitted, refused } = await serve({
      authorize: authorizeId(SpiffeId.parse('spiffe://a.test/client')),
    });
    const authorize = authorizeId(SpiffeId.parse('spiffe://a.test/server'));
    const { socket, peer } = await connectTls(to(port), await clientOf({ authorize }));
    expect(await greeting(socket)).toBe('hello');
    expect(peer.id.toString()).toBe('spiffe://a.test/server');
    expect(admitted.map((one) => one?.id.toString())).toEqual(['spiffe://a.test/client']);
    expect(refused).toEqual([]);
  });

  it('speak across federated trust domains', async () => {
    const { port, admitted } = await serve({ bundles: domains.both });
    const svid = new SettableSvid(await domains.b.x509Svid('/client'));
    const { socket } = await connectTls(to(port), await clientOf({ svid }));
    expect(await greeting(socket)).toBe('hello');
    expect(admitted[0]?.id.toString()).toBe('spiffe://b.test/client');
  });

  it('send no root and no more than their chain', async () => {
    const { port, admitted } = await serve();
    const { socket } = await connectTls(to(port), await clientOf());
    const sent = peerChain(socket);
    await greeting(socket);
    expect(sent).toHaveLength(1);
    // Leaf, and the root that was found in the bundle.
    expect(admitted[0]?.chain).toHaveLength(2);
  });
});

describe('peerChain', () => {
  it('answers the same however often it is asked', async () => {
    const { port } = await serve();
    const { socket } = await connectTls(to(port), await clientOf());
    const first = peerChain(socket);
    expect(first).toHaveLength(1);
    expect(peerChain(socket)).toEqual(first);
    socket.destroy();
  });
});

describe('a client refuses a server', () => {
  it('that is not who it expects, naming both', async () => {
    const { port } = await serve();
    const authorize = authorizeId(SpiffeId.parse('spiffe://a.test/db'));
    await expect(connectTls(to(port), await clientOf({ authorize }))).rejects.toMatchObject({
      code: 'unauthorized-peer',
      message: 'peer presented spiffe://a.test/server, expected spiffe://a.test/db',
    });
  });

  it('of a trust domain it has no bundle for', async () => {
    const svid = new SettableSvid(await domains.b.x509Svid('/server'));
    const { port } = await serve({ svid });
    await expect(connectTls(to(port), await clientOf())).rejects.toMatchObject({
      code: 'untrusted-peer',
      message: expect.stringContaining('spiffe://b.test/server'),
    });
  });

  it('whose certificate only the roots of another trust domain vouch for (B2)', async () => {
    const { port } = await serve();
    await expect(connectTls(to(port), await clientOf({ bundles: domains.wrongRoots }))).rejects.toMatchObject({
      code: 'untrusted-peer',
    });
  });

  it('whose certificate has expired by the clock it was given', async () => {
    const { port } = await serve();
    const now = () => Date.now() / 1000 + 7200;
    await expect(connectTls(to(port), await clientOf({ now }))).rejects.toMatchObject({ code: 'untrusted-peer' });
  });

  it('before it sends a byte of its own', async () => {
    const { port, admitted } = await serve();
    const authorize = authorizeOneOf([]);
    await expect(connectTls(to(port), await clientOf({ authorize }))).rejects.toMatchObject({
      message: 'peer presented spiffe://a.test/server, expected nobody',
    });
    expect(admitted.length).toBeLessThanOrEqual(1);
  });

  it('when its own matcher throws, and says so', async () => {
    const { port } = await serve();
    const authorize = () => {
      throw new Error('policy server is down');
    };
    await expect(connectTls(to(port), await clientOf({ authorize }))).rejects.toMatchObject({
      code: 'unauthorized-peer',
      message: 'peer presented spiffe://a.test/server, refused: policy server is down',
    });
  });

  it('when it has no SVID of its own to show', async () => {
    const { port } = await serve();
    await expect(connectTls(to(port), await clientOf({ svid: new SettableSvid() }))).rejects.toThrow('no SVID');
  });
});

describe('a server refuses a client', () => {
  const refusal = async (options: Partial<SpiffeServerOptions>, client: Partial<SpiffeClientOptions>) => {
    const { port, refused, admitted } = await serve(options);
    // Under TLS 1.3 the client may finish its handshake before it is judged.
    const attempt = connectTls(to(port), await clientOf(client)).then(({ socket }) => greeting(socket));
    expect(await attempt.catch(() => '')).toBe('');
    expect(admitted).toEqual([]);
    expect(refused).toHaveLength(1);
    return refused[0];
  };

  it('without a certificate', async () => {
    expect(await refusal({}, { svid: undefined })).toMatchObject({ code: 'no-peer-certificate' });
  });

  it('that it does not authorise', async () => {
    const authorize = authorizeMemberOf(domains.b.trustDomain);
    expect(await refusal({ authorize }, {})).toMatchObject({
      code: 'unauthorized-peer',
      message: 'peer presented spiffe://a.test/client, expected a member of spiffe://b.test',
    });
  });

  it('of a trust domain it has no bundle for', async () => {
    const svid = new SettableSvid(await domains.b.x509Svid('/client'));
    expect(await refusal({}, { svid })).toMatchObject({ code: 'untrusted-peer' });
  });

  it('whose certificate only the roots of another trust domain vouch for (B2)', async () => {
    expect(await refusal({ bundles: domains.wrongRoots }, {})).toMatchObject({ code: 'untrusted-peer' });
  });

  it('when it has no SVID to show any more', async () => {
    const { port, svid, refused } = await serve();
    svid.current = undefined;
    await expect(connectTls(to(port), await clientOf())).rejects.toThrow();
    expect(refused[0]?.message).toBe('no SVID at the moment');
  });
});

describe('a server that allows strangers', () => {
  it('serves a client without certificate as nobody', async () => {
    const { port, admitted } = await serve({ clientCertificate: 'optional' });
    const { socket } = await connectTls(to(port), await clientOf({ svid: undefined }));
    expect(await greeting(socket)).toBe('hello');
    expect(admitted).toEqual([undefined]);
  });

  it('still refuses a certificate it does not trust', async () => {
    const { port, admitted, refused } = await serve({ clientCertificate: 'optional' });
    const svid = new SettableSvid(await domains.b.x509Svid('/client'));
    const attempt = connectTls(to(port), await clientOf({ svid })).then(({ socket }) => greeting(socket));
    expect(await attempt.catch(() => '')).toBe('');
    expect([admitted, refused.length]).toEqual([[], 1]);
  });
});

describe('connecting', () => {
  it('can be aborted while the other side says nothing', async () => {
    const mute = await listening(createServer((socket) => socket.on('error', () => {})));
    const controller = new AbortController();
    const attempt = connectTls({ ...to(mute.port), signal: controller.signal }, await clientOf());
    controller.abort(new Error('enough'));
    await expect(attempt).rejects.toThrow('enough');
    await closed(mute);
  });

  it('fails when nobody listens, and when the other side is no TLS server', async () => {
    const plain = await listening(
      createServer((socket) =>
        socket
          .on('error', () => {})
          .resume()
          .end('HTTP/1.1 400\r\n\r\n'),
      ),
    );
    await expect(connectTls(to(plain.port), await clientOf())).rejects.toThrow();
    await closed(plain);
    await expect(connectTls(to(plain.port), await clientOf())).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

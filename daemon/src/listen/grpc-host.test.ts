import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { type AddressInfo, createServer } from 'node:net';
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import * as grpc from '@grpc/grpc-js';
import { Code, createClient, GrpcError } from '@steeple/proto/grpc';
import { entryV1 } from '@steeple/proto/server-api';
import { describe, expect, it } from 'vitest';
import { createLogger } from '../logger.ts';
import { failureOf, makeHost, rig, until } from './listen.fixture.ts';

const path = '/spire.api.server.entry.v1.Entry/GetEntry';

describe('cancelled streams', () => {
  const leave = async (r: Awaited<ReturnType<typeof rig>>, times: number): Promise<void> => {
    const workload = r.workload();
    for (let round = 0; round < times; round++) {
      for await (const _ of workload.fetchX509Bundles({})) break;
    }
  };

  it('may be as many as a local client wants', async () => {
    await using r = await rig({}, { options: { cancellations: 10_000 } });
    await leave(r, 1500);
  });

  it('end a connection from the network when they are too many', async () => {
    await using r = await rig();
    await expect(leave(r, 1500)).rejects.toThrow(GrpcError);
  });
});

describe('drain', () => {
  it.each([false, true])('ends every stream with UNAVAILABLE (repairAuthority %s)', async (repairAuthority) => {
    await using r = await rig({ repairAuthority });
    const streams = Array.from({ length: 20 }, () => r.workload().fetchX509Bundles({})[Symbol.asyncIterator]());
    for (const stream of streams) await stream.next();
    expect(r.host.openCalls).toBe(20);
    const ends = streams.map((stream) => failureOf(stream.next()));
    await r.listener.close();
    await r.host.drain(5);
    for (const end of await Promise.all(ends)) expect(end.code).toBe(Code.UNAVAILABLE);
    expect([r.host.openCalls, r.host.connections]).toEqual([0, 0]);
  });

  it('lets unary calls finish within the grace', async () => {
    let answer = (): void => {};
    const host = makeHost({
      middleware: [
        async (_call, next) => {
          await new Promise<void>((resolve) => {
            answer = resolve;
          });
          await next();
        },
      ],
    });
    await using r = await rig({ host });
    const call = r.entries().getEntry({});
    await until(() => host.openCalls === 1);
    const drained = host.drain(30);
    answer();
    expect((await call).hint).toBe('unix');
    await drained;
  });

  it('ends with UNAVAILABLE what outlasts the grace', async () => {
    const host = makeHost({ middleware: [() => new Promise(() => {})] });
    await using r = await rig({ host });
    const call = failureOf(r.entries().getEntry({}));
    await until(() => host.openCalls === 1);
    await host.drain(0.01);
    expect((await call).code).toBe(Code.UNAVAILABLE);
  });

  it('takes no connection afterwards', async () => {
    await using r = await rig();
    await r.host.drain(0);
    expect((await failureOf(r.entries().getEntry({}))).code).toBe(Code.UNAVAILABLE);
    expect(r.host.connections).toBe(0);
  });
});

describe('errors', () => {
  it('logs an unexpected one and tells the caller nothing of it', async () => {
    const lines: string[] = [];
    await using r = await rig({}, { logger: createLogger({ write: (line) => lines.push(line) }) });
    const error = await failureOf(r.entries().getEntry({ id: 'fail' }));
    expect([error.code, error.message]).toEqual([Code.INTERNAL, 'internal error']);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('method=/spire.api.server.entry.v1.Entry/GetEntry');
    expect(lines[0]).toContain(`caller_pid=${process.pid}`);
  });

  it('maps one as the server says', async () => {
    await using r = await rig({}, { mapError: () => GrpcError.of(Code.NOT_FOUND, 'mapped') });
    expect((await failureOf(r.entries().getEntry({ id: 'fail' }))).code).toBe(Code.NOT_FOUND);
  });

  it('refuses a message beyond the limit', async () => {
    await using r = await rig({}, { options: { messageBytes: 1000 } });
    const error = await failureOf(r.entries().getEntry({ id: 'x'.repeat(1001) }));
    expect(error.code).toBe(Code.RESOURCE_EXHAUSTED);
    await using standard = await rig();
    const large = await failureOf(standard.entries().getEntry({ id: 'x'.repeat(4 * 1024 * 1024) }));
    expect(large.code).toBe(Code.RESOURCE_EXHAUSTED);
  });
});

describe('other transports', () => {
  it('knows a TCP peer', async () => {
    const host = makeHost();
    const server = createServer((socket) => host.inject(socket, { kind: 'tcp', address: socket.remoteAddress ?? '' }));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = createClient(entryV1.Entry, { address, credentials: grpc.credentials.createInsecure() });
    expect((await client.getEntry({})).hint).toBe('tcp');
    client.close();
    server.close();
    host.forceShutdown();
  });

  it('takes TLS sockets, and the peer carries them', async () => {
    const seen: unknown[] = [];
    const host = makeHost({
      middleware: [
        ({ ctx }, next) => {
          const peer = host.peer(ctx.peerKey);
          seen.push(peer?.kind === 'tcp' && peer.tls?.getProtocol());
          return next();
        },
      ],
    });
    // A pre-shared key spares the certificates.
    const psk = Buffer.alloc(32, 7);
    const ciphers = 'PSK-AES128-GCM-SHA256';
    const server = createTlsServer(
      { ciphers, pskCallback: () => psk, ALPNProtocols: ['h2'], maxVersion: 'TLSv1.2' },
      (tls: TLSSocket) => host.inject(tls, { kind: 'tcp', address: tls.remoteAddress ?? '', tls }),
    );
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const session = connectHttp2('http://localhost', {
      createConnection: () =>
        connectTls({
          port,
          ciphers,
          ALPNProtocols: ['h2'],
          maxVersion: 'TLSv1.2',
          checkServerIdentity: () => undefined,
          pskCallback: () => ({ psk, identity: 'test' }),
        }),
    });
    const request = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    request.end(Buffer.alloc(5));
    request.resume();
    const [trailers] = (await once(request, 'trailers')) as [Record<string, string>];
    expect(trailers['grpc-status']).toBe('0');
    expect(seen).toEqual(['TLSv1.2']);
    session.destroy();
    server.close();
    host.forceShutdown();
  });
});

describe('peers', () => {
  it('are forgotten with their connection', async () => {
    await using r = await rig();
    const client = r.entries();
    const { id: key } = await client.getEntry({});
    expect(r.host.peer(key)).toMatchObject({ kind: 'unix', credentials: { pid: process.pid } });
    client.close();
    await until(() => r.host.connections === 0);
    expect(r.host.peer(key)).toBeUndefined();
  });
});

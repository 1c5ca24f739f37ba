// A connection that is too old is ended so that no call fails for it.
import { once } from 'node:events';
import { connect as connectHttp2, constants } from 'node:http2';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Code } from '@steeple/proto/grpc';
import { describe, expect, it } from 'vitest';
import { failureOf, makeHost, rig } from './listen.fixture.ts';

const young = { options: { age: { max: 0.1, grace: 0.2 } } };

describe('the age of a connection', () => {
  it('ends with a GOAWAY without an error', async () => {
    await using r = await rig({}, young);
    const session = connectHttp2('http://localhost', { createConnection: () => connect(r.path) });
    const [code] = (await once(session, 'goaway')) as [number];
    expect(code).toBe(constants.NGHTTP2_NO_ERROR);
    await once(session, 'close');
  });

  it('lets no call fail: they go on over new connections', async () => {
    await using r = await rig({}, young);
    const client = r.entries();
    const connections = new Set<string>();
    const caller = async () => {
      while (connections.size < 5) {
        connections.add((await client.getEntry({})).id);
        await sleep(Math.random() * 3);
      }
    };
    await Promise.all(Array.from({ length: 20 }, caller));
    expect(connections.size).toBeGreaterThanOrEqual(5);
  });

  it('lets a call that is running end within the grace', async () => {
    const host = makeHost({
      options: { age: { max: 0.05, grace: 60 } },
      middleware: [
        async (_call, next) => {
          await sleep(150);
          await next();
        },
      ],
    });
    await using r = await rig({ host });
    expect((await r.entries().getEntry({})).hint).toBe('unix');
  });

  it('ends a stream that outlasts the grace with UNAVAILABLE', async () => {
    await using r = await rig({}, young);
    const stream = r.workload().fetchX509Bundles({})[Symbol.asyncIterator]();
    await stream.next();
    expect((await failureOf(stream.next())).code).toBe(Code.UNAVAILABLE);
  });
});

import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { FakeClock } from '@steeple/test-kit';
import { describe, expect, it } from 'vitest';
import { type HandshakeLimits, HandshakeQueue } from './handshake-queue.ts';

class FakeSocket extends EventEmitter {
  destroyed = false;
  readonly remoteAddress: string;
  readonly remotePort: number;

  constructor(address: string, port: number) {
    super();
    this.remoteAddress = address;
    this.remotePort = port;
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.emit('close');
  }
}

function world(limits: Partial<HandshakeLimits> = {}) {
  const clock = new FakeClock();
  const begun: FakeSocket[] = [];
  const queue = new HandshakeQueue((socket) => begun.push(socket as unknown as FakeSocket), clock, limits);
  let port = 0;
  const come = (count: number, address = '192.0.2.1'): FakeSocket[] =>
    Array.from({ length: count }, () => {
      const socket = new FakeSocket(address, (port += 1));
      queue.add(socket as unknown as Socket, address);
      return socket;
    });
  const from = (): Record<string, number> =>
    begun.reduce<Record<string, number>>((all, { remoteAddress: a }) => ({ ...all, [a]: (all[a] ?? 0) + 1 }), {});
  return { clock, begun, queue, come, from };
}

const settled = async (): Promise<void> => {
  for (let turns = 0; turns < 50; turns += 1) await turn();
};

describe('HandshakeQueue', () => {
  it('begins a few in each turn of the event loop, in the order they came', async () => {
    const { begun, come } = world({ perTurn: 4 });
    const sockets = come(10);
    expect(begun).toHaveLength(0);
    const perTurn: number[] = [];
    for (let turns = 0; turns < 4; turns += 1) {
      const before = begun.length;
      await turn();
      perTurn.push(begun.length - before);
    }
    expect(perTurn).toEqual([4, 4, 2, 0]);
    expect(begun).toEqual(sockets);
  });

  it('lets addresses take turns, so that a flood delays itself', async () => {
    const { come, from } = world({ perTurn: 4 });
    come(1000, '192.0.2.66');
    come(2, '192.0.2.7');
    await turn();
    expect(from()).toEqual({ '192.0.2.66': 2, '192.0.2.7': 2 });
  });

  it('has a bounded number under way, in all and per address', async () => {
    const { begun, come, from, queue } = world({ open: 10, openPerAddress: 6 });
    come(20, '192.0.2.66');
    await settled();
    expect(queue.open).toBe(6);
    come(20, '192.0.2.7');
    await settled();
    expect(from()).toEqual({ '192.0.2.66': 6, '192.0.2.7': 4 });
    for (const socket of begun.slice(0, 3)) queue.finished(socket);
    await settled();
    expect(queue.open).toBe(10);
    expect(begun).toHaveLength(13);
  });

  it('goes on when those under way end, however they end', async () => {
    const { begun, come, queue } = world({ open: 2 });
    come(4);
    await settled();
    begun[0]?.destroy();
    begun[1]?.destroy();
    // Told of the end of one that is gone already.
    queue.finished(begun[0] as FakeSocket);
    await settled();
    expect(begun).toHaveLength(4);
    expect(queue.open).toBe(2);
  });

  it('works for nobody who has gone or has waited too long', async () => {
    const { begun, clock, come, queue } = world({ open: 1, patience: 15 });
    const [first, gone, late] = come(3) as [FakeSocket, FakeSocket, FakeSocket];
    await settled();
    gone.destroy();
    await clock.advance(16);
    const [fresh] = come(1);
    queue.finished(first);
    await settled();
    expect(begun).toEqual([first, fresh]);
    expect(late.destroyed).toBe(true);
  });
});

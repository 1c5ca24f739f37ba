import type { CallContext, MiddlewareCall } from '@steeple/proto/grpc';
import { FakeClock } from '@steeple/test-kit';
import { expect, it } from 'vitest';
import { callAdmission } from './call-admission.ts';

const AGENT = '/spire.api.server.agent.v1.Agent';
const ENTRY = '/spire.api.server.entry.v1.Entry';

const call = (method: string, methodKind: string, request?: unknown): MiddlewareCall =>
  ({ ctx: { method, signal: new AbortController().signal } as CallContext, method: { methodKind }, request }) as never;

/** Calls that never end by themselves, and how many of them run. */
function world() {
  const clock = new FakeClock();
  const admission = callAdmission(clock);
  let running = 0;
  const ends: (() => void)[] = [];
  const come = (count: number, one: MiddlewareCall): void => {
    for (let n = 0; n < count; n += 1) {
      void admission(one, () => {
        running += 1;
        return new Promise((end) => ends.push(end));
      });
    }
  };
  const settled = async (): Promise<number> => {
    for (let turns = 0; turns < 50; turns += 1) await new Promise((turn) => setImmediate(turn));
    return running;
  };
  return { clock, come, settled, ends };
}

it('lets the next ones in as calls end', async () => {
  const { come, settled, ends } = world();
  come(200, call(`${ENTRY}/GetAuthorizedEntries`, 'unary'));
  expect(await settled()).toBe(64);
  for (const end of ends.splice(0, 10)) end();
  expect(await settled()).toBe(74);
});

it('does not let clients that do not read keep others out', async () => {
  const { clock, come, settled } = world();
  come(100, call(`${ENTRY}/SyncAuthorizedEntries`, 'bidi_streaming'));
  expect(await settled()).toBe(64);
  await clock.advance(1);
  expect(await settled()).toBe(100);
});

it('counts streams that stay open for their beginning only', async () => {
  const { come, settled } = world();
  come(1000, call('/steeple.sync.v1.Sync/Watch', 'server_streaming'));
  expect(await settled()).toBe(1000);
});

it('keeps strangers who attest apart from agents that are known', async () => {
  const { come, settled } = world();
  come(500, call(`${AGENT}/AttestAgent`, 'bidi_streaming'));
  const strangers = await settled();
  expect(strangers).toBe(8);
  come(1, call(`${AGENT}/RenewAgent`, 'unary'));
  expect(await settled()).toBe(strangers + 1);
});

it('counts each item of a batch of signing requests', async () => {
  const { come, settled } = world();
  come(10, call('/spire.api.server.svid.v1.SVID/BatchNewX509SVID', 'unary', { params: Array.from({ length: 50 }) }));
  expect(await settled()).toBe(4);
});

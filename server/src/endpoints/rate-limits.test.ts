import type { CallContext, MiddlewareCall } from '@steeple/proto/grpc';
import { FakeClock } from '@steeple/test-kit';
import { describe, expect, it } from 'vitest';
import { setCaller } from '../api/caller.ts';
import { rateLimits } from './rate-limits.ts';

const ATTEST = '/spire.api.server.agent.v1.Agent/AttestAgent';

/** A call from an address, or from the admin socket. */
const call = (method: string, address: string | undefined): MiddlewareCall => {
  const ctx = { method, signal: new AbortController().signal } as CallContext;
  const nobody = { process: undefined, id: undefined, certificate: undefined, agent: undefined, downstream: [] };
  setCaller(ctx, { ...nobody, as: 'any', via: 'any', address });
  return { ctx, request: undefined } as MiddlewareCall;
};

/** How many of the calls got through before anybody had to wait. */
const passed = async (
  switches: { attestation: boolean; signing: boolean },
  calls: MiddlewareCall[],
): Promise<number> => {
  const limit = rateLimits(switches, new FakeClock());
  let through = 0;
  for (const one of calls) void limit(one, async () => void through++);
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  return through;
};

describe('rateLimits', () => {
  const on = { attestation: true, signing: true };

  it('lets the second attestation of an address wait, and other addresses not', async () => {
    expect(await passed(on, [call(ATTEST, '192.0.2.1'), call(ATTEST, '192.0.2.1'), call(ATTEST, '192.0.2.2')])).toBe(2);
  });

  it('never holds up the admin socket, methods without a rate, or what is switched off', async () => {
    expect(await passed(on, [call(ATTEST, undefined), call(ATTEST, undefined)])).toBe(2);
    const free = '/spire.api.server.bundle.v1.Bundle/GetBundle';
    expect(
      await passed(
        on,
        Array.from({ length: 9 }, () => call(free, '192.0.2.1')),
      ),
    ).toBe(9);
    const off = { attestation: false, signing: true };
    expect(await passed(off, [call(ATTEST, '192.0.2.1'), call(ATTEST, '192.0.2.1')])).toBe(2);
  });

  it('limits post status whatever is switched off', async () => {
    const status = '/spire.api.server.agent.v1.Agent/PostStatus';
    const calls = Array.from({ length: 12 }, () => call(status, '192.0.2.1'));
    expect(await passed({ attestation: false, signing: false }, calls)).toBe(10);
  });
});

import { describe, expect, it } from 'vitest';
import { askOutside, callOutside } from './call-outside.ts';
import { StandIn, type StandInAnswer } from './http-for-tests.ts';
import { within } from './within.ts';

const never = new AbortController().signal;
const ask = (address: string, more: object = {}) =>
  askOutside(callOutside, { what: 'the thing', url: new URL(address), signal: never, ...more });
const unavailable = (message: string) => ({ code: 'unavailable', message: expect.stringContaining(message) });

describe('a call to the outside', () => {
  it('brings back the body, of status 200 only', async () => {
    await using site = await StandIn.listen(({ url }) =>
      url.pathname === '/a' ? 'yes' : { status: 404, body: 's3cret' },
    );
    expect(Buffer.from(await ask(`${site.address}/a`)).toString()).toBe('yes');
    const missing = ask(`${site.address}/b`);
    await expect(missing).rejects.toMatchObject(unavailable('HTTP status 404'));
    await expect(missing).rejects.not.toThrow('s3cret');
  });

  it('does not wait for ever, and ends when it is told to', async () => {
    await using site = await StandIn.listen(() => new Promise<StandInAnswer>(() => undefined));
    await expect(ask(site.address, { timeout: 0.05 })).rejects.toMatchObject(unavailable('no answer within 0.05 s'));
    const controller = new AbortController();
    const asking = ask(site.address, { signal: controller.signal });
    controller.abort(new Error('shutting down'));
    await expect(asking).rejects.toThrow('shutting down');
  });

  it('takes no more than it asked for', async () => {
    await using site = await StandIn.listen(() => 'x'.repeat(2000));
    await ask(site.address, { maxBytes: 2000 });
    await expect(ask(site.address, { maxBytes: 1999 })).rejects.toMatchObject(unavailable('more than 1999 bytes'));
  });

  it('takes its headers to no other place', async () => {
    await using other = await StandIn.listen(() => 'got you');
    await using site = await StandIn.listen(() => ({ status: 307, headers: { location: other.address } }));
    const headers = { authorization: 'Bearer s3cret' };
    await expect(ask(site.address, { headers })).rejects.toMatchObject(unavailable('HTTP status 307'));
    expect(other.requests).toHaveLength(0);
  });

  it('says why nothing came', async () => {
    await expect(ask('http://127.0.0.1:1/')).rejects.toMatchObject(unavailable('127.0.0.1:1'));
  });
});

describe('several calls within a time', () => {
  const everlasting = (signal: AbortSignal) =>
    new Promise<never>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));

  it('end with it, as what the provider did', async () => {
    await expect(within(0.05, never, everlasting)).rejects.toMatchObject(unavailable('within 0.05 s'));
    expect(await within(5, never, async () => 'done')).toBe('done');
    const failed = within(5, never, () => Promise.reject(new Error('by itself')));
    await expect(failed).rejects.toThrow('by itself');
  });

  it('end when they are told to', async () => {
    const controller = new AbortController();
    const working = within(5, controller.signal, everlasting);
    controller.abort(new Error('shutting down'));
    await expect(working).rejects.toThrow('shutting down');
  });
});

import { describe, expect, it } from 'vitest';
import { type Wire, x509Response } from '../testing/wire-state.ts';
import { a, api, b, client, useClientWorld } from './client-world.fixture.ts';
import type { X509Context } from './read-x509-context.ts';
import type { WatchEvent } from './watch.ts';

useClientWorld();

const unused = { timeout: 10 };

describe('X.509', () => {
  it('gives all SVIDs and bundles, the first one being the default', async () => {
    const svids = [await a.x509Svid('/one', { hint: 'internal' }), await b.x509Svid('/two')];
    api.issue({ svids, bundles: [a.bundle, b.bundle] });
    const context = await client.fetchX509Context(unused);
    expect(context.svids.map(({ id }) => id.toString())).toEqual(['spiffe://a.test/one', 'spiffe://b.test/two']);
    expect(context.svids[0]?.hint).toBe('internal');
    expect(context.bundles.get(a.trustDomain)?.x509Authorities).toHaveLength(1);
    // WAPI-18: they vouch for X509-SVIDs only.
    expect(context.bundles.get(a.trustDomain)?.jwtAuthorities).toEqual([]);
  });

  it('keeps the first of repeated hints, and all without one (WAPI-25)', async () => {
    const hints = { A: 'foo', B: 'bar', C: 'foo', D: '', E: '' };
    const svids = await Promise.all(Object.entries(hints).map(([name, hint]) => a.x509Svid(`/${name}`, { hint })));
    api.issue({ svids, bundles: [a.bundle] });
    const context = await client.fetchX509Context(unused);
    expect(context.svids.map(({ id }) => id.path)).toEqual(['/A', '/B', '/D', '/E']);
  });

  it('forgets a federated bundle that a later message leaves out (WAPI-12 to WAPI-14)', async () => {
    const svid = await a.x509Svid('/w');
    api.issue({ svids: [svid], bundles: [a.bundle, b.bundle] });
    const updates = client.watchX509Context()[Symbol.asyncIterator]();
    expect(bundlesOf(await updates.next())).toEqual(['b.test', 'a.test']);
    api.issue({ svids: [svid], bundles: [a.bundle] });
    expect(bundlesOf(await updates.next())).toEqual(['a.test']);
    await updates.return?.();
  });

  type X509 = Wire<'fetchX509SVID'>;
  type Svid = NonNullable<X509['svids']>[number];
  const broken: [string, (good: Svid, message: X509) => X509][] = [
    ['no SVID', () => ({ svids: [] })],
    ['no SPIFFE ID', (good) => ({ svids: [{ ...good, spiffeId: '' }] })],
    ['no certificate', (good) => ({ svids: [{ ...good, x509Svid: new Uint8Array() }] })],
    ['no key', (good) => ({ svids: [{ ...good, x509SvidKey: new Uint8Array() }] })],
    ['no bundle', (good) => ({ svids: [{ ...good, bundle: new Uint8Array() }] })],
    ['one good SVID and one without key', (good) => ({ svids: [good, { ...good, x509SvidKey: new Uint8Array() }] })],
    ['another SPIFFE ID than the certificate', (good) => ({ svids: [{ ...good, spiffeId: 'spiffe://a.test/other' }] })],
    ['a SPIFFE ID that is none', (good) => ({ svids: [{ ...good, spiffeId: 'spiffe://a.test/w/' }] })],
    ['a certificate in PEM', (good) => ({ svids: [{ ...good, x509Svid: text('-----BEGIN CERTIFICATE-----') }] })],
    ['bytes after the certificate', (good) => ({ svids: [{ ...good, x509Svid: joined(good.x509Svid, text('\0')) }] })],
    ['a key of another certificate', (good, message) => ({ svids: [{ ...good, x509SvidKey: otherKey(message) }] })],
    ['a bundle that is no certificate', (good) => ({ svids: [{ ...good, bundle: text('root') }] })],
    ['a bare name as bundle key', (good) => federated(good, 'b.test')],
    ['a path in a bundle key', (good) => federated(good, 'spiffe://b.test/x')],
    ['an upper-case bundle key', (good) => federated(good, 'spiffe://B.test')],
    [
      'an empty federated bundle',
      (good) => ({ svids: [good], federatedBundles: { 'spiffe://b.test': new Uint8Array() } }),
    ],
  ];

  let others: X509;
  const otherKey = (_message: X509) => others.svids?.[0]?.x509SvidKey ?? new Uint8Array();

  it.each(broken)('drops a message with %s, as a whole, and goes on (WAPI-16, H1, H4)', async (_name, spoil) => {
    others = x509Response([await a.x509Svid('/w')], [a.bundle]);
    const good = x509Response([await a.x509Svid('/w')], [a.bundle]);
    const updates = client.watchX509Context()[Symbol.asyncIterator]();
    const [svid] = good.svids ?? [];
    if (svid === undefined) throw new Error('no SVID to spoil');
    api.x509.publish(spoil(svid, good));
    expect((await updates.next()).value).toMatchObject({ kind: 'error', error: { code: 'invalid-response' } });
    api.x509.publish(good);
    expect((await updates.next()).value).toMatchObject({ kind: 'update' });
    expect(api.countOf('FetchX509SVID')).toBe(1);
    await updates.return?.();
  });

  it('drops a message with an expired SVID', async () => {
    api.issue({ svids: [await a.x509Svid('/w', { ttl: -60 })], bundles: [a.bundle] });
    await expect(client.fetchX509Context(unused)).rejects.toMatchObject({ code: 'invalid-response' });
  });
});

function bundlesOf({ value }: IteratorResult<WatchEvent<X509Context>, unknown>) {
  const event = value as WatchEvent<X509Context>;
  return event.kind === 'update' ? event.value.bundles.list().map(({ trustDomain }) => trustDomain.name) : event;
}

function federated(good: NonNullable<Wire<'fetchX509SVID'>['svids']>[number], key: string): Wire<'fetchX509SVID'> {
  return { svids: [good], federatedBundles: { [key]: good.bundle ?? new Uint8Array() } };
}

function text(content: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(content));
}

function joined(...parts: (Uint8Array | undefined)[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat(parts.filter((part) => part !== undefined)));
}

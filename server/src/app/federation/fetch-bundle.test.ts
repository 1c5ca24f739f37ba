import type { EndpointProfile } from '@steeple/core';
import { BundleSet, MAX_BUNDLE_BYTES, toPem, type X509Svid } from '@steeple/spiffe';
import { TestTrustDomain } from '@steeple/test-kit';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { answering, publishing, redirecting, TestEndpoint } from '../../testing/endpoint.ts';
import { fetchBundle } from './fetch-bundle.ts';

let web: TestTrustDomain;
let b: TestTrustDomain;
let c: TestTrustDomain;
/** Of the Web, for localhost. */
let webCertificate: X509Svid;
const open: AsyncDisposable[] = [];

beforeAll(async () => {
  web = await TestTrustDomain.create('web.test');
  b = await TestTrustDomain.create('b.test');
  c = await TestTrustDomain.create('c.test');
  webCertificate = await web.x509Svid('/site', { dnsNames: ['localhost'] });
});

afterEach(async () => {
  for (const one of open.splice(0)) await one[Symbol.asyncDispose]();
});

const endpoint = async (svid: X509Svid, answer = publishing(() => b.bundle)): Promise<TestEndpoint> => {
  const made = await TestEndpoint.open(svid, answer);
  open.push(made);
  return made;
};

const fetchFrom = (url: string, profile: EndpointProfile, signal = new AbortController().signal) =>
  fetchBundle(
    { trustDomain: b.trustDomain, bundleEndpointUrl: url, profile },
    {
      bundles: BundleSet.of(b.bundle),
      webRoots: () => [toPem('CERTIFICATE', web.issuer.certificate.raw)],
      now: () => Date.now() / 1000,
    },
    signal,
  );

const WEB: EndpointProfile = { kind: 'https_web' };
const spiffe = (id = b.id('/ep')): EndpointProfile => ({ kind: 'https_spiffe', endpointSpiffeId: id });

describe('https_web', () => {
  it('fetches the bundle, whatever the path and port', async () => {
    const made = await endpoint(webCertificate);
    const { bundle, peer } = await fetchFrom(made.url('/some/bundle?x=1'), WEB);
    expect(bundle.equals(b.bundle.with({ witAuthorities: [] }))).toBe(true);
    expect(peer).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(made.requests).toEqual([`GET /some/bundle?x=1 localhost:${made.port}`]);
  });

  it('takes a certificate for that very name from an authority of the Web only', async () => {
    const wrongName = await endpoint(await web.x509Svid('/site', { dnsNames: ['example.org'] }));
    await expect(fetchFrom(wrongName.url(), WEB)).rejects.toThrow(/altnames.*profile https_spiffe/);
    const stranger = await endpoint(await c.x509Svid('/site', { dnsNames: ['localhost'] }));
    await expect(fetchFrom(stranger.url(), WEB)).rejects.toThrow();
    const expired = await endpoint(await web.x509Svid('/site', { dnsNames: ['localhost'], ttl: -5 }));
    await expect(fetchFrom(expired.url(), WEB)).rejects.toThrow(/expired/);
    const vouchedForBySpiffe = await endpoint(await b.x509Svid('/ep', { dnsNames: ['localhost'] }));
    await expect(fetchFrom(vouchedForBySpiffe.url(), WEB)).rejects.toThrow();
    for (const made of open as TestEndpoint[]) expect(made.requests).toEqual([]);
  });
});

describe('https_spiffe', () => {
  it('fetches from exactly the configured identity, whatever the host is called', async () => {
    const made = await endpoint(await b.x509Svid('/ep', { dnsNames: ['elsewhere.test'] }));
    const { bundle, peer } = await fetchFrom(made.url(), spiffe());
    expect(bundle.equals(b.bundle.with({ witAuthorities: [] }))).toBe(true);
    expect(peer).toBe('spiffe://b.test/ep');
  });

  it('refuses every other identity, and never falls back to the Web', async () => {
    const others = [await b.x509Svid('/other'), await c.x509Svid('/ep'), webCertificate];
    for (const svid of [...others, await b.x509Svid('/ep', { ttl: -5 })]) {
      const made = await endpoint(svid);
      await expect(fetchFrom(made.url(), spiffe())).rejects.toThrow();
      expect(made.requests).toEqual([]);
    }
  });

  it('needs the bundle of the endpoint before the first fetch', async () => {
    const made = await endpoint(await c.x509Svid('/ep'));
    await expect(fetchFrom(made.url(), spiffe(c.id('/ep')))).rejects.toThrow(
      "can't perform SPIFFE Authentication: local copy of bundle not found",
    );
  });
});

describe('redirects', () => {
  it('are followed to endpoints that pass the same checks, and not remembered', async () => {
    const target = await endpoint(await b.x509Svid('/ep'));
    const first = await endpoint(await b.x509Svid('/ep'), redirecting(target.url('/new'), 308));
    for (const round of [1, 2]) {
      expect((await fetchFrom(first.url(), spiffe())).url).toBe(target.url('/new'));
      expect(first.requests).toHaveLength(round);
    }
    first.answer = redirecting('/moved');
    await expect(fetchFrom(first.url(), spiffe())).rejects.toThrow('more than 3 times');
  });

  it('lead to no other identity, scheme or user', async () => {
    const other = await endpoint(await b.x509Svid('/other'));
    const first = await endpoint(await b.x509Svid('/ep'), redirecting(other.url()));
    await expect(fetchFrom(first.url(), spiffe())).rejects.toThrow(/b\.test\/other/);
    expect(other.requests).toEqual([]);
    const site = await endpoint(webCertificate);
    for (const wrong of ['http://localhost/', 'file:///etc/passwd', 'spiffe://b.test/', 'https://u@localhost/']) {
      site.answer = redirecting(wrong);
      await expect(fetchFrom(site.url(), WEB)).rejects.toThrow(/bundle endpoint URL/);
    }
    const stranger = await endpoint(await c.x509Svid('/site', { dnsNames: ['localhost'] }));
    site.answer = redirecting(stranger.url());
    await expect(fetchFrom(site.url(), WEB)).rejects.toThrow();
    expect(stranger.requests).toEqual([]);
  });
});

describe('answers', () => {
  it('that are no bundle are refused', async () => {
    const site = await endpoint(webCertificate);
    const wrong: [TestEndpoint['answer'], RegExp][] = [
      [answering('{"keys":[]}', 500), /unexpected status 500/],
      [answering('{"keys":[]}', 204), /unexpected status 204/],
      [answering('', 302), /unexpected status 302/],
      [answering(''), /./],
      [answering('<html>'), /./],
      [answering('{"spiffe_sequence":1}'), /no keys/],
      [answering('{"keys":null}'), /no keys/],
      [answering(`{"keys":[]}${' '.repeat(MAX_BUNDLE_BYTES)}`), /longer than/],
      [answering('['.repeat(5000)), /./],
      [(_request, response) => void response.socket?.destroy(), /./],
      [
        (_request, response) => {
          response.writeHead(200, { 'content-length': '500' }).write('{"keys":[]}');
          setTimeout(() => response.destroy(), 20);
        },
        /./,
      ],
    ];
    for (const [answer, message] of wrong) {
      site.answer = answer;
      await expect(fetchFrom(site.url(), WEB)).rejects.toThrow(message);
    }
    site.answer = answering('{"keys":[]}');
    expect((await fetchFrom(site.url(), WEB)).bundle.isEmpty).toBe(true);
  });

  it('are not waited for when nobody wants them any more', async () => {
    const site = await endpoint(webCertificate, () => {});
    const abort = new AbortController();
    const fetched = fetchFrom(site.url(), WEB, abort.signal);
    setTimeout(() => abort.abort(new Error('enough')), 50);
    await expect(fetched).rejects.toThrow();
    expect(site.requests).toHaveLength(1);
    await expect(fetchFrom(site.url(), WEB, abort.signal)).rejects.toThrow('enough');
  });
});

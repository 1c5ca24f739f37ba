// A real server that reads bundle endpoints, and for each test a new trust domain to read.
import type { RequestListener } from 'node:http';
import { TestTrustDomain } from '@steeple/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { publishing, TestEndpoint } from '../../server/src/testing/endpoint.ts';
import { Domain, spiffeProfile, WEB_PROFILE, wireBundle } from './federation-world.ts';

export class ReaderWorld {
  web!: TestTrustDomain;
  reader!: Domain;
  /** The trust domain to be read. */
  b!: TestTrustDomain;
  site!: TestEndpoint;
  #count = 0;
  readonly #open: AsyncDisposable[] = [];

  constructor() {
    beforeAll(async () => {
      this.web = await TestTrustDomain.create('web.test');
      this.reader = await Domain.open('a.test', this.web);
    });
    beforeEach(() => this.renew());
    afterEach(async () => {
      for (const one of this.#open.splice(0)) await one[Symbol.asyncDispose]();
    });
    afterAll(async () => {
      await this.reader?.[Symbol.asyncDispose]();
    });
  }

  /** Another trust domain to be read. */
  async renew(): Promise<void> {
    this.#count += 1;
    this.b = await TestTrustDomain.create(`b${this.#count}.test`);
  }

  get name(): string {
    return this.b.trustDomain.name;
  }

  webCertificate() {
    return this.web.x509Svid('/site', { dnsNames: ['localhost'] });
  }

  /** Closes it after the test. */
  keep(endpoint: TestEndpoint): TestEndpoint {
    this.#open.push(endpoint);
    return endpoint;
  }

  /** Publishes the bundle on a web server, which is followed from now on. */
  async overWeb(answer: RequestListener = publishing(() => this.b.bundle)): Promise<void> {
    this.site = this.keep(await TestEndpoint.open(await this.webCertificate(), answer));
    expect(await this.reader.relate(this.name, this.site.url(), WEB_PROFILE)).toBe(0);
  }

  /** The same, with an SVID of the trust domain itself. */
  async overSpiffe(answer: RequestListener = publishing(() => this.b.bundle)): Promise<void> {
    this.site = this.keep(await TestEndpoint.open(await this.b.x509Svid('/ep'), answer));
    const profile = spiffeProfile(this.b.id('/ep').toString());
    expect(await this.reader.relate(this.name, this.site.url(), profile, wireBundle(this.b))).toBe(0);
  }

  refresh(): Promise<string> {
    return this.reader.refresh(this.name);
  }

  known() {
    return this.reader.known(this.name);
  }
}

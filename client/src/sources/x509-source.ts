import type { BundleSource, RevocationList, TrustBundle, TrustDomain, X509Svid, X509SvidSource } from '@steeple/spiffe';
import { ClientError } from '../errors.ts';
import { systemRim } from '../rim.ts';
import type { X509Context } from '../workload-api/read-x509-context.ts';
import { LiveSource, type SourceOptions } from './live-source.ts';
import { type PickOptions, pickSvid } from './pick.ts';

export type X509SourceOptions = SourceOptions & PickOptions<X509Svid>;

/**
 * The workload's X509-SVID and the bundles to check peers with, always the newest: give it to the TLS helpers once, and
 * rotation, federation changes and withdrawal take effect at the next connection.
 */
export class X509Source extends LiveSource<X509Context> implements X509SvidSource, BundleSource {
  readonly #options: X509SourceOptions;

  /** Resolves with the first state. @throws ClientError, GrpcError (final status of the agent) */
  static async open(options: X509SourceOptions = {}): Promise<X509Source> {
    return new X509Source(options).opened(options);
  }

  private constructor(options: X509SourceOptions) {
    super(options, (client, signal) => client.watchX509Context(signal));
    this.#options = options;
  }

  /** The SVID to present now. @throws ClientError `no-svid` (withdrawn or expired), `no-hint`, `closed` */
  x509Svid(): X509Svid {
    const svid = pickSvid(this.current().svids, this.#options);
    const now = (this.#options.rim ?? systemRim).now();
    if (svid.leaf.notAfter <= now)
      throw new ClientError('no-svid', `the X509-SVID of ${svid.id.toString()} has expired`);
    return svid;
  }

  /** All SVIDs of the workload. @throws ClientError `no-svid`, `closed` */
  x509Svids(): readonly X509Svid[] {
    return this.current().svids;
  }

  /** `undefined`: nothing is trusted for this trust domain, at least not now. */
  bundleFor(trustDomain: TrustDomain): TrustBundle | undefined {
    return this.peek()?.bundles.bundleFor(trustDomain);
  }

  /** What the authorities of the bundles have revoked. */
  revocationLists(): readonly RevocationList[] {
    return this.peek()?.bundles.revocationLists() ?? [];
  }
}

import { randomUUID } from 'node:crypto';
import { type CoveredTokens, type HeldWitSvid, makeProofToken, type SpiffeId } from '@steeple/spiffe';
import { ClientError } from '../errors.ts';
import { systemRim } from '../rim.ts';
import { LiveSource, type SourceOptions } from './live-source.ts';
import { type PickOptions, pickSvid } from './pick.ts';

export type WitSourceOptions = SourceOptions & PickOptions<HeldWitSvid> & { readonly id?: SpiffeId | undefined };

/** The workload's WIT-SVID and its key, always the newest, and the proofs made with it. */
export class WitSource extends LiveSource<HeldWitSvid[]> {
  readonly #options: WitSourceOptions;

  /** Resolves with the first state; an agent without WIT-SVIDs is a `GrpcError` UNIMPLEMENTED. */
  static async open(options: WitSourceOptions = {}): Promise<WitSource> {
    return new WitSource(options).opened(options);
  }

  private constructor(options: WitSourceOptions) {
    super(options, (client, signal) => client.watchWitSvids(options.id, signal));
    this.#options = options;
  }

  /** The WIT-SVID to present now. @throws ClientError `no-svid` (withdrawn or expired), `no-hint`, `closed` */
  witSvid(): HeldWitSvid {
    const svid = pickSvid(this.current(), this.#options);
    if (svid.expiresAt <= this.#now())
      throw new ClientError('no-svid', `the WIT-SVID of ${svid.id.toString()} has expired`);
    return svid;
  }

  /**
   * The header fields presenting the WIT-SVID in one HTTP request, with a fresh proof of possession. A WIT-SVID never goes
   * into `Authorization` (WIT-30), nor over an unprotected channel (WIT-40).
   */
  headers(url: URL, covered: CoveredTokens = {}): Record<'workload-identity-token' | 'workload-proof-token', string> {
    if (url.protocol !== 'https:') throw new TypeError('a WIT-SVID may only be sent over https');
    const { token, privateKey } = this.witSvid();
    const audience = `${url.origin}${url.pathname}`;
    const proof = makeProofToken(token, privateKey, { audience, now: this.#now(), jti: randomUUID(), covered });
    return { 'workload-identity-token': token, 'workload-proof-token': proof };
  }

  #now(): number {
    return (this.#options.rim ?? systemRim).now();
  }
}

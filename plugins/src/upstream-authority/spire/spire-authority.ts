import type { UpstreamTrust } from '@steeple/core';
import type { Clock, Logger } from '@steeple/daemon';
import { type TokenAuthority, TrustBundle, type TrustDomain } from '@steeple/spiffe';
import type { MintedCa, UpstreamAuthority } from '../upstream-authority.ts';
import type { UpstreamServer } from './upstream-server.ts';
import { readChain, readKeys, readTrust, wireKey } from './wire.ts';

export interface SpireAuthorityParts {
  readonly server: UpstreamServer;
  readonly trustDomain: TrustDomain;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Seconds between two looks at the bundle above. */
const POLL = 5;

/** A server of the same trust domain above this one, ours or SPIRE's. */
export class SpireAuthority implements UpstreamAuthority {
  readonly #parts: SpireAuthorityParts;

  constructor(parts: SpireAuthorityParts) {
    this.#parts = parts;
  }

  async mintX509Ca(csr: Uint8Array, ttl: number, signal: AbortSignal): Promise<MintedCa> {
    const { server } = this.#parts;
    const preferredTtl = Math.floor(ttl);
    const { caCertChain } = await server.call(
      'unable to request a new Downstream X509CA',
      signal,
      ({ svid }, options) => svid.newDownstreamX509CA({ csr: Uint8Array.from(csr), preferredTtl }, options),
    );
    // The answer has roots too, but does not say which of them are compromised.
    const { x509 } = await this.#trust(signal);
    return { chain: readChain(caCertChain), roots: x509 };
  }

  publishKey(kind: 'jwt' | 'wit', key: TokenAuthority, signal: AbortSignal): Promise<readonly TokenAuthority[]> {
    const what = `failed to push ${kind.toUpperCase()} authority`;
    return this.#parts.server.call(what, signal, async ({ bundle }, options) => {
      if (kind === 'jwt') {
        return readKeys((await bundle.publishJWTAuthority({ jwtAuthority: wireKey(key) }, options)).jwtAuthorities);
      }
      return readKeys((await bundle.publishWITAuthority({ witAuthority: wireKey(key) }, options)).witAuthorities);
    });
  }

  async *watch(signal: AbortSignal): AsyncGenerator<UpstreamTrust, void, undefined> {
    const { trustDomain, clock, logger } = this.#parts;
    let told: TrustBundle | undefined;
    while (!signal.aborted) {
      try {
        const trust = await this.#trust(signal);
        const seen = TrustBundle.of(trustDomain, {
          x509Authorities: trust.x509,
          jwtAuthorities: trust.jwt,
          witAuthorities: trust.wit,
        });
        if (told === undefined || !seen.trustsSameAs(told)) yield trust;
        told = seen;
      } catch (error) {
        if (signal.aborted) return;
        logger.warn('The bundle of the upstream server could not be fetched; what is known stands', { error });
      }
      await clock.sleep(POLL, signal).catch(() => undefined);
    }
  }

  close(): Promise<void> {
    return this.#parts.server.close();
  }

  async #trust(signal: AbortSignal): Promise<Required<UpstreamTrust>> {
    return this.#parts.server.call('failed to fetch bundle from upstream server', signal, async ({ bundle }, options) =>
      readTrust(await bundle.getBundle({}, options)),
    );
  }
}

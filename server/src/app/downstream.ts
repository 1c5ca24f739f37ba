import { effectiveTtl, IssuerError, svidValidity } from '@steeple/core';
import type { Clock } from '@steeple/daemon';
import {
  type Certificate,
  downstreamSubject,
  type TokenAuthority,
  type TrustBundle,
  type TrustDomain,
} from '@steeple/spiffe';
import type { ActiveAuthorities } from './active-authorities.ts';
import type { AuthorityBook } from './authority-book.ts';
import type { AuthorityKeys } from './authority-keys.ts';
import type { AuthorityTaints } from './authority-taints.ts';
import type { RandomBytes } from './randomness.ts';
import type { Serial } from './serial.ts';
import { readRequest } from './svid-issuance.ts';

export interface DownstreamParts {
  readonly trustDomain: TrustDomain;
  readonly active: ActiveAuthorities;
  readonly book: AuthorityBook;
  readonly serial: Serial;
  readonly keys: AuthorityKeys;
  readonly taints: Pick<AuthorityTaints, 'revokedHere'>;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** Seconds that a CA lives whose owner has no wish. */
  readonly caTtl: number;
  readonly hasWit: boolean;
}

/** A CA for a server below this one. */
export interface DownstreamCa {
  /** The new CA first, then what lies between it and the root. */
  readonly chain: readonly Certificate[];
  readonly roots: readonly Certificate[];
}

/** What servers of the same trust domain below this one ask for. */
export class Downstream {
  readonly #parts: DownstreamParts;

  constructor(parts: DownstreamParts) {
    this.#parts = parts;
  }

  /** Signs a CA; `ttl` 0 = the default. @throws {IssuerError} `invalid-argument`, `unavailable`, `internal` */
  async newCa(csrDer: Uint8Array, ttl: number): Promise<DownstreamCa> {
    const { active, book, trustDomain, clock, random, caTtl } = this.#parts;
    const { spki } = readRequest(csrDer);
    const issuer = active.x509();
    const serial = Uint8Array.from(random(16), (byte, index) => (index === 0 ? (byte & 0x3f) | 0x40 : byte));
    const unit = `DOWNSTREAM-${Math.max(1, issuer.chain.length)}`;
    const validity = svidValidity(clock.now(), effectiveTtl(ttl, caTtl), issuer.certificate.notAfter);
    const subject = downstreamSubject(issuer.certificate.subject, unit, decimal(serial));
    const certificate = await issuer
      .issueCa({ id: trustDomain, spki, subject, serial, ...validity })
      .catch((cause: unknown) => {
        throw new IssuerError('internal', 'failed to sign downstream X.509 CA', { cause });
      });
    const roots = book.bundles.own().x509Authorities.map((root) => root.certificate);
    return { chain: [certificate, ...issuer.chain], roots };
  }

  /**
   * Makes a key of a server below known here, and above if there is an above.
   *
   * @returns all keys of the kind
   * @throws {IssuerError} `unimplemented` for WIT keys where they are switched off; `invalid-argument`, `internal`
   */
  publishKey(kind: 'jwt' | 'wit', key: TokenAuthority, signal: AbortSignal): Promise<readonly TokenAuthority[]> {
    const { serial, keys, book, taints, hasWit } = this.#parts;
    if (kind === 'wit' && !hasWit)
      throw new IssuerError('unimplemented', 'WIT-SVID functionality is not yet implemented');
    return serial.run(async () => {
      const publish = await keys.publishForeign(kind, { ...key, tainted: false }, signal);
      await book.save(book.slots, (bundle: TrustBundle) => publish(bundle, taints.revokedHere));
      return book.bundles.own()[`${kind}Authorities`];
    });
  }
}

const decimal = (bytes: Uint8Array): string => BigInt(`0x${Buffer.from(bytes).toString('hex')}`).toString();

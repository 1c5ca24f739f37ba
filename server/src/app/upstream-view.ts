import { type AuthoritySlot, followUpstream, taintInBundle, type UpstreamTrust } from '@steeple/core';
import type { SigningKey } from '@steeple/plugins';
import { buildPath, type Certificate, SpiffeError, type TrustBundle, X509Issuer } from '@steeple/spiffe';
import { certificateOf, certificatesAbove, isSignedAbove } from './authority-keys.ts';
import type { Upstream } from './upstream.ts';

/** Seconds for which a key of ours may be missing above: what is said above may be older than what was published. */
const MISSING = 15;

/** What the upstream said last, and what follows for the authorities of ours that it signed. */
export class UpstreamView {
  readonly #upstream: Pick<Upstream, 'takesKeys'> | undefined;
  readonly #now: () => number;
  readonly #missingSince = new Map<string, number>();
  #trust: UpstreamTrust | undefined;
  #marked: readonly Certificate[] = [];

  constructor(upstream: Pick<Upstream, 'takesKeys'> | undefined, now: () => number) {
    this.#upstream = upstream;
    this.#now = now;
  }

  /** Roots that are compromised above and not yet marked in our bundle. */
  get marked(): readonly Certificate[] {
    return this.#marked;
  }

  /** Takes over what the upstream says now; the result is our bundle after it. */
  follow(bundle: TrustBundle, trust: UpstreamTrust, revokedHere: ReadonlySet<string>): TrustBundle {
    const followed = followUpstream(bundle, trust, revokedHere);
    this.#trust = trust;
    this.#marked = followed.newlyTainted;
    return followed.bundle;
  }

  /** Whether an authority is signed under a root that is compromised above. */
  isUnderMarked(slot: AuthoritySlot): boolean {
    return this.#marked.length > 0 && rootOf(slot, this.#marked, this.#now()) !== undefined;
  }

  /** Whether an authority has lost what it stands on: its upstream, or its root there. */
  isLost(slot: AuthoritySlot): boolean {
    if (isSignedAbove(slot) !== (this.#upstream !== undefined)) return true;
    if (this.#trust === undefined) return false;
    const good = this.#trust.x509.filter(({ tainted }) => !tainted).map(({ certificate }) => certificate);
    return rootOf(slot, good, this.#now()) === undefined;
  }

  /**
   * Whether a key of ours is no longer known above. It may have been revoked there, so it is replaced and never published
   * again.
   */
  isKeyLost(kind: 'jwt' | 'wit', keyId: string): boolean {
    const known = this.#trust?.[kind];
    if (known === undefined || this.#upstream?.takesKeys(kind) === false || known.some(({ kid }) => kid === keyId)) {
      this.#missingSince.delete(keyId);
      return false;
    }
    const since = this.#missingSince.get(keyId) ?? this.#now();
    this.#missingSince.set(keyId, since);
    return this.#now() >= since + MISSING;
  }

  /** Our bundle with the compromised roots marked. */
  mark(bundle: TrustBundle): TrustBundle {
    const ids = new Set(this.#marked.map(({ subjectKeyId }) => subjectKeyId ?? ''));
    return [...ids].reduce(
      (changed, id) => (isTrusted(changed, id) ? taintInBundle(changed, 'x509', id) : changed),
      bundle,
    );
  }
}

/** Signs with a slot's key, and sends what lies between it and its root along. */
export const issuerOf = (key: SigningKey, slot: AuthoritySlot): X509Issuer =>
  new X509Issuer(key, certificateOf(slot), certificatesAbove(slot));

/** The one of these roots that an X.509 authority stands on; itself if it is self-signed. */
export const rootOf = (slot: AuthoritySlot, roots: readonly Certificate[], now: number): Certificate | undefined => {
  const leaf = certificateOf(slot);
  if (!isSignedAbove(slot)) return roots.find((root) => root.equals(leaf));
  try {
    return buildPath({ leaf, intermediates: certificatesAbove(slot), anchors: roots, now }).at(-1);
  } catch (error) {
    if (error instanceof SpiffeError) return undefined;
    throw error;
  }
};

const isTrusted = ({ x509Authorities }: TrustBundle, id: string): boolean =>
  x509Authorities.some(({ certificate, tainted }) => !tainted && certificate.subjectKeyId === id);

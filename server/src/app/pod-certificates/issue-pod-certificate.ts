import { isSubset, LIFETIMES, type RegistrationEntry, selectorSet, visibleIdentities } from '@steeple/core';
import { toPem } from '@steeple/spiffe';
import type { AuthorizedEntries } from '../authorized-entries.ts';
import type { CertificateAuthority, SignedX509 } from '../certificate-authority.ts';
import { Denial, type PodCertificateRequest } from './pod-certificate-request.ts';
import type { PodFacts } from './pod-facts.ts';

/** What Kubernetes asks of every pod certificate, in seconds. */
const SHORTEST = 3600;
/** The refresh must begin that long after the start and before the end. */
const REFRESH_MARGIN = 600;

/** The entry whose identity a pod gets: of those that an agent would give it, the one it names, or the first. */
export function entryFor(
  { agent, selectors, hint }: PodFacts,
  authorized: AuthorizedEntries,
): RegistrationEntry | undefined {
  const has = selectorSet(selectors);
  const matching = authorized.of(agent).filter((entry) => isSubset(entry.selectors, has));
  const identities = visibleIdentities(matching.map((entry) => ({ entry })));
  return identities.find(({ entry }) => hint === undefined || entry.hint === hint)?.entry;
}

export interface CertificateSettings {
  /** Seconds that an X509-SVID lives whose entry says nothing. */
  readonly x509SvidTtl: number;
}

/**
 * Signs for the proven key, within what the API allows: an hour at least, and no longer than was asked for.
 *
 * @throws {Denial} if the entry demands a shorter life; IssuerError if signing fails, or the authority is near its end
 */
export async function signFor(
  request: PodCertificateRequest,
  entry: RegistrationEntry,
  ca: CertificateAuthority,
  { x509SvidTtl }: CertificateSettings,
): Promise<SignedX509> {
  const wanted = entry.x509SvidTtl > 0 ? entry.x509SvidTtl : x509SvidTtl;
  // What is signed begins a little earlier, which counts.
  const ttl = Math.min(wanted, request.maxExpiration - LIFETIMES.backdate);
  if (ttl + LIFETIMES.backdate < SHORTEST) {
    throw new Denial(
      'LifetimeTooShort',
      `entry ${entry.id} gives ${wanted} s, but Kubernetes takes no certificate that lives less than an hour; give the entry a longer life`,
    );
  }
  return ca.signX509({ id: entry.spiffeId, spki: request.spki, ttl, dnsNames: entry.dnsNames });
}

/** Whether the API will take it; an authority that ends soon makes it too short. */
export const isLongEnough = ({ leaf }: SignedX509): boolean => leaf.notAfter - leaf.notBefore >= SHORTEST;

/** The status of a request that was granted. */
export const issuedStatus = ({ chain, leaf, id }: SignedX509, now: number): object => {
  const { notBefore, notAfter } = leaf;
  const half = Math.floor((notBefore + notAfter) / 2);
  const beginRefreshAt = Math.min(Math.max(half, notBefore + REFRESH_MARGIN), notAfter - REFRESH_MARGIN);
  return {
    certificateChain: chain.map(({ raw }) => toPem('CERTIFICATE', raw)).join(''),
    notBefore: timeText(notBefore),
    notAfter: timeText(notAfter),
    beginRefreshAt: timeText(beginRefreshAt),
    conditions: [condition('Issued', 'Issued', `an X509-SVID of ${id.toString()}`, now)],
  };
};

/** The status of a request that will never be granted. */
export const deniedStatus = ({ reason, message }: Denial, now: number): object => ({
  conditions: [condition('Denied', reason, message.slice(0, 1024), now)],
});

const condition = (type: string, reason: string, message: string, now: number): object => ({
  type,
  status: 'True',
  reason,
  message,
  lastTransitionTime: timeText(Math.floor(now)),
});

const timeText = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');

import { IssuerError } from '@steeple/core';
import type { Certificate } from '@steeple/spiffe';
import { namesPermitted } from './name-constraints.ts';

/** Enough for any real set of certificates, little enough that a hostile one costs nothing. */
const MAX_SIGNATURE_CHECKS = 64;

export interface ChainQuestion {
  readonly leaf: Certificate;
  readonly intermediates: readonly Certificate[];
  readonly roots: readonly Certificate[];
  /** Unix seconds. */
  readonly now: number;
}

/**
 * All chains from the leaf to a root, each leaf first and root last, by RFC 5280 section 6; the leaf may have any extended
 * key usage. A root that is itself the leaf is a chain of one.
 *
 * @throws {IssuerError} `permission-denied` if there is none.
 */
export function verifiedChains(question: ChainQuestion): readonly (readonly Certificate[])[] {
  const { leaf, now } = question;
  if (!isCurrent(leaf, now)) throw refused('the certificate has expired or is not valid yet');
  if (leaf.unknownCritical.length > 0) throw refused('the certificate has an unknown critical extension');
  const chains = [...extend([leaf], question, { left: MAX_SIGNATURE_CHECKS })];
  if (chains.length === 0) throw refused('the certificate is not signed by a configured authority');
  return chains;
}

function* extend(
  chain: readonly Certificate[],
  question: ChainQuestion,
  budget: { left: number },
): Generator<readonly Certificate[]> {
  const last = chain.at(-1);
  if (last === undefined) return;
  if (question.roots.some((root) => root.equals(last))) {
    yield chain;
    return;
  }
  for (const issuer of [...question.roots, ...question.intermediates]) {
    if (chain.some((certificate) => certificate.equals(issuer)) || !mayIssue(issuer, chain, question.now)) continue;
    if (budget.left-- <= 0) return;
    if (last.isSignedBy(issuer)) yield* extend([...chain, issuer], question, budget);
  }
}

function mayIssue(issuer: Certificate, below: readonly Certificate[], now: number): boolean {
  const pathLength = issuer.basicConstraints?.pathLength ?? Number.POSITIVE_INFINITY;
  return (
    issuer.isCa &&
    issuer.keyUsage?.keyCertSign !== false &&
    below.length - 1 <= pathLength &&
    isCurrent(issuer, now) &&
    issuer.unknownCritical.length === 0 &&
    below.every((certificate) => namesPermitted(certificate, issuer.nameConstraints))
  );
}

function isCurrent({ notBefore, notAfter }: Certificate, now: number): boolean {
  return now >= notBefore && now <= notAfter;
}

function refused(reason: string): IssuerError {
  return new IssuerError('permission-denied', `certificate verification failed: ${reason}`);
}

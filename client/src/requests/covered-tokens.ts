import type { CoveredTokens } from '@steeple/spiffe';

/** Schemes whose credential is an OAuth access token (RFC 6750, RFC 9449). */
const ACCESS_TOKEN = /^(?:bearer|dpop) +(\S+)$/i;

/**
 * The other tokens of a request that a Workload Proof Token must cover: the access token, the transaction token, and those
 * in the fields that the application names.
 */
export function coveredTokens(
  field: (name: string) => string | undefined,
  otherFields: readonly string[] = [],
): CoveredTokens {
  const accessToken = ACCESS_TOKEN.exec(field('authorization')?.trim() ?? '')?.[1];
  const transactionToken = field('txn-token')?.trim();
  const others = otherFields.flatMap((name) => {
    // Header names differ in case only by taste; the proof has them in lower case.
    const key = name.toLowerCase();
    const value = field(key)?.trim();
    return value === undefined ? [] : [[key, value] as const];
  });
  return { accessToken, transactionToken, ...(others.length > 0 && { others: Object.fromEntries(others) }) };
}

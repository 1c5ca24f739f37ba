import { IssuerError } from '@steeple/core';

/** What a believed token says: which pod holds it, and as whom. */
export interface BoundToken {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly podName: string;
  readonly podUid: string;
  /** Undefined: an older cluster's token, which does not say on which node its pod is. */
  readonly node: { readonly name: string; readonly uid: string } | undefined;
}

/** Believes a token of one cluster, or not. */
export interface TokenJudge {
  /**
   * @throws {IssuerError} `permission-denied` for a token that is not believed; `unavailable` or `internal` if that cannot
   *   be told
   */
  judge(token: string, signal: AbortSignal): Promise<BoundToken>;
}

const USER = /^system:serviceaccount:([^:]+):([^:]+)$/;

/**
 * The two names in a service account's user name.
 *
 * @throws {IssuerError} `permission-denied` for any other user
 */
export function serviceAccountOf(username: unknown): { readonly namespace: string; readonly serviceAccount: string } {
  const [, namespace, serviceAccount] = (typeof username === 'string' ? USER.exec(username) : null) ?? [];
  if (namespace !== undefined && serviceAccount !== undefined) return { namespace, serviceAccount };
  throw new IssuerError('permission-denied', 'the token is not a service account token');
}

/** @throws {IssuerError} `permission-denied` */
export function boundToNoPod(): never {
  throw new IssuerError('permission-denied', 'the token is not bound to a pod: project one with its audience and path');
}

import { IssuerError } from '@steeple/core';
import { type ForeignToken, type JsonObject, type JsonValue, readForeignToken, SpiffeError } from '@steeple/spiffe';
import { member } from '../json-message.ts';
import { type BoundToken, boundToNoPod, serviceAccountOf, type TokenJudge } from './bound-token.ts';
import type { ClusterKeys } from './cluster-keys.ts';

export interface OfflineTokenOptions {
  readonly keys: ClusterKeys;
  /** Of which the token must be meant for one. */
  readonly audiences: readonly string[];
  /** Gives Unix seconds. */
  readonly now: () => number;
}

/** Seconds by which the cluster's clock may be ahead of ours; expiry is not stretched. */
const LEEWAY = 60;

/** Believes a token by the cluster's signature and the token's own claims. */
export class OfflineToken implements TokenJudge {
  readonly #options: OfflineTokenOptions;

  constructor(options: OfflineTokenOptions) {
    this.#options = options;
  }

  async judge(token: string, signal: AbortSignal): Promise<BoundToken> {
    const { keys, audiences } = this.#options;
    const read = readToken(token);
    const { issuer, key } = await keys.find(read.kid ?? refuse('the token names no key'), signal);
    if (key === undefined || !read.isSignedBy(key)) refuse('the token is not signed by a key of the cluster');
    const { claims } = read;
    if (claims['iss'] !== issuer) refuse('the token has another issuer than the cluster');
    const meantFor = [claims['aud'] ?? []].flat();
    if (!audiences.some((one) => meantFor.includes(one))) {
      refuse(`the token has another audience than ${audiences.map((one) => `"${one}"`).join(' or ')}`);
    }
    this.#requireTime(claims);
    return boundTokenOf(claims);
  }

  #requireTime({ exp, nbf, iat }: JsonObject): void {
    const now = this.#options.now();
    if (typeof exp !== 'number') refuse('the token does not say when it expires');
    if (exp <= now) refuse('the token has expired');
    for (const moment of [nbf, iat]) {
      if (moment !== undefined && (typeof moment !== 'number' || moment > now + LEEWAY)) {
        refuse('the token is not valid yet');
      }
    }
  }
}

/** Private claims of Kubernetes: `kubernetes.io`: namespace, pod, serviceaccount and, since 1.30, node. */
function boundTokenOf(claims: JsonObject): BoundToken {
  const bound = member(claims, 'kubernetes.io');
  const { namespace, serviceAccount } = serviceAccountOf(claims['sub']);
  if (textOf(bound, 'namespace') !== namespace || textOf(member(bound, 'serviceaccount'), 'name') !== serviceAccount) {
    refuse('the subject of the token and its service account differ');
  }
  const pod = member(bound, 'pod');
  const node = member(bound, 'node');
  const [name, uid] = [textOf(node, 'name'), textOf(node, 'uid')];
  return {
    namespace,
    serviceAccount,
    podName: textOf(pod, 'name') ?? boundToNoPod(),
    podUid: textOf(pod, 'uid') ?? boundToNoPod(),
    node: name === undefined || uid === undefined ? undefined : { name, uid },
  };
}

function readToken(token: string): ForeignToken {
  try {
    return readForeignToken(token);
  } catch (cause) {
    if (!(cause instanceof SpiffeError)) throw cause;
    throw new IssuerError('permission-denied', `the token is not readable: ${cause.message}`, { cause });
  }
}

function textOf(value: JsonValue | undefined, name: string): string | undefined {
  const text = member(value, name);
  return typeof text === 'string' && text !== '' ? text : undefined;
}

function refuse(reason: string): never {
  throw new IssuerError('permission-denied', reason);
}

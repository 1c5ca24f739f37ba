import { IssuerError } from '@steeple/core';
import type { KubernetesClient, ResourceType } from '@steeple/daemon/kubernetes';
import { type BoundToken, boundToNoPod, serviceAccountOf, type TokenJudge } from './bound-token.ts';

const TOKEN_REVIEWS: ResourceType = {
  group: 'authentication.k8s.io',
  version: 'v1',
  plural: 'tokenreviews',
  namespaced: false,
};
const EXTRA = 'authentication.kubernetes.io';
const LONGEST_REASON = 300;

type Json = Readonly<Record<string, unknown>>;

/** Asks the cluster itself. It knows more than a signature: a token whose pod or service account is gone is refused. */
export class TokenReview implements TokenJudge {
  readonly #client: KubernetesClient;
  readonly #audiences: readonly string[];

  /** @param audiences of which the token must be meant for one; none: for the cluster's own API */
  constructor(client: KubernetesClient, audiences: readonly string[]) {
    this.#client = client;
    this.#audiences = audiences;
  }

  async judge(token: string, signal: AbortSignal): Promise<BoundToken> {
    const spec = { token, ...(this.#audiences.length > 0 && { audiences: this.#audiences }) };
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec };
    const answer = await this.#client.create(TOKEN_REVIEWS, review, {}, signal);
    const status = objectOf(answer['status']);
    const why = status['error'];
    if (status['authenticated'] !== true || (typeof why === 'string' && why !== '')) throw notAuthenticated(why);
    this.#requireAudience(status['audiences']);
    const user = objectOf(status['user']);
    const extra = objectOf(user['extra']);
    const name = only(extra, 'node-name');
    const uid = only(extra, 'node-uid');
    return {
      ...serviceAccountOf(user['username']),
      podName: only(extra, 'pod-name') ?? boundToNoPod(),
      podUid: only(extra, 'pod-uid') ?? boundToNoPod(),
      node: name === undefined || uid === undefined ? undefined : { name, uid },
    };
  }

  /** An API that does not know audiences says nothing about them: then nobody has looked. */
  #requireAudience(given: unknown): void {
    if (this.#audiences.length === 0) return;
    if (Array.isArray(given) && this.#audiences.some((one) => given.includes(one))) return;
    throw notAuthenticated('the API did not confirm the audience');
  }
}

function objectOf(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

/** The value, if there is exactly one. */
function only(extra: Json, key: string): string | undefined {
  const values = extra[`${EXTRA}/${key}`];
  if (!Array.isArray(values) || values.length !== 1) return undefined;
  const [value] = values as unknown[];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function notAuthenticated(why: unknown): IssuerError {
  const reason =
    typeof why === 'string' && why !== '' ? `: ${why.replaceAll(/\p{Cc}+/gu, ' ').slice(0, LONGEST_REASON)}` : '';
  return new IssuerError('permission-denied', `token not authenticated according to TokenReview API${reason}`);
}

import { IssuerError, type Selector } from '@steeple/core';
import type { Logger } from '@steeple/daemon';
import { KubernetesError } from '@steeple/daemon/kubernetes';
import { SpiffeError, SpiffeId, type TrustDomain } from '@steeple/spiffe';
import type { AttestationChannel, NodeVerifier, VerifiedNode } from '../node-attestor.ts';
import type { Clusters } from './clusters.ts';
import { parsePayload } from './messages.ts';

export interface PsatVerifierOptions {
  readonly trustDomain: TrustDomain;
  readonly clusters: Clusters;
  readonly logger: Logger;
}

/** Server's half: believes a projected service account token that its cluster vouches for. */
export class PsatVerifier implements NodeVerifier {
  readonly type = 'k8s_psat';
  readonly #options: PsatVerifierOptions;

  constructor(options: PsatVerifierOptions) {
    this.#options = options;
  }

  async verify(payload: Uint8Array, channel: AttestationChannel, signal: AbortSignal): Promise<VerifiedNode> {
    const { cluster: name, token } = parsePayload(payload);
    signal.throwIfAborted();
    const cluster = await this.#options.clusters.find(name);
    try {
      const { idSuffix, selectors } = await cluster.identify(token, channel.peerAddress, signal);
      return {
        agentId: agentId(this.#options.trustDomain, name, idSuffix),
        selectors: selectors.map((value): Selector => ({ type: this.type, value })),
        canReattest: true,
      };
    } catch (cause) {
      signal.throwIfAborted();
      throw this.#about(name, cause);
    }
  }

  /** The agent hears which cluster it is about; what a cluster's API said is for the operator of this server. */
  #about(cluster: string, cause: unknown): unknown {
    if (cause instanceof IssuerError) {
      if (cause.code !== 'permission-denied') this.#log(cluster, cause);
      return new IssuerError(cause.code, `${cause.message} (cluster "${cluster}")`, { cause });
    }
    if (!(cause instanceof KubernetesError)) return cause;
    this.#log(cluster, cause);
    const code = cause.code === 'unreachable' ? 'unavailable' : 'internal';
    return new IssuerError(code, `the API of cluster "${cluster}" cannot be asked about the token`, { cause });
  }

  #log(cluster: string, error: Error): void {
    this.#options.logger.error('An agent could not be judged by k8s_psat', { cluster, error: error.message });
  }
}

function agentId(trustDomain: TrustDomain, cluster: string, suffix: string): SpiffeId {
  try {
    return SpiffeId.of(trustDomain, `/spire/agent/k8s_psat/${cluster}/${suffix}`);
  } catch (cause) {
    if (!(cause instanceof SpiffeError)) throw cause;
    throw new IssuerError('internal', 'the UID of the node makes no agent path', { cause });
  }
}

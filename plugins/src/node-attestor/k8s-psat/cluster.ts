import { readFile } from 'node:fs/promises';
import { BlockList, isIP } from 'node:net';
import { IssuerError } from '@steeple/core';
import { type Clock, reasonOf } from '@steeple/daemon';
import { inClusterAccess, KubernetesClient, kubeconfigAccess } from '@steeple/daemon/kubernetes';
import { asClaimed, type BoundPod, lookUp } from './bound-pod.ts';
import type { BoundToken, TokenJudge } from './bound-token.ts';
import { ClusterKeys, issuerOf, type LoadKeys, parseClusterKeys } from './cluster-keys.ts';
import { OfflineToken } from './offline-token.ts';
import type { ClusterSettings } from './settings.ts';
import { TokenReview } from './token-review.ts';

/** What is known of an agent once its token is believed. */
export interface PsatFacts {
  /** The last segments of its path: the node's UID, or `pod/` and the pod's. */
  readonly idSuffix: string;
  /** Values of its selectors. */
  readonly selectors: readonly string[];
}

const DEFAULT_AUDIENCE = ['spire-server'];

/** One cluster whose agents may attest. */
export class Cluster {
  readonly name: string;
  readonly #settings: ClusterSettings;
  readonly #client: KubernetesClient;
  readonly #judge: TokenJudge;

  constructor(name: string, settings: ClusterSettings, clock: Clock) {
    this.name = name;
    this.#settings = settings;
    const access = settings.kube_config_file ? kubeconfigAccess(settings.kube_config_file) : inClusterAccess();
    this.#client = new KubernetesClient({ access, clock, timeout: 10, maxAnswerBytes: 8 * 1024 * 1024 });
    const audiences = settings.audience ?? DEFAULT_AUDIENCE;
    this.#judge =
      settings.token_validation === 'token_review'
        ? new TokenReview(this.#client, audiences)
        : new OfflineToken({
            keys: new ClusterKeys(keySource(settings, this.#client), () => clock.monotonic()),
            audiences,
            now: () => clock.now(),
          });
  }

  /** @throws {IssuerError} `permission-denied` for one that does not convince; KubernetesError if it cannot be told */
  async identify(token: string, peerAddress: string | undefined, signal: AbortSignal): Promise<PsatFacts> {
    const settings = this.#settings;
    const bound = await this.#judge.judge(token, signal);
    const account = `${bound.namespace}:${bound.serviceAccount}`;
    if (!settings.service_account_allow_list.includes(account)) {
      throw new IssuerError('permission-denied', `"${account}" is not an allowed service account`);
    }
    const pod = settings.pod_lookup ? await lookUp(this.#client, bound, signal) : asClaimed(bound);
    if (settings.verify_client_ip) requireAddress(pod.addresses, peerAddress);
    return {
      idSuffix: settings.use_pod_uid_for_agent_id ? `pod/${bound.podUid}` : pod.nodeUid,
      selectors: this.#selectors(bound, pod),
    };
  }

  #selectors(bound: BoundToken, pod: BoundPod): readonly string[] {
    const { allowed_node_label_keys: nodeKeys, allowed_pod_label_keys: podKeys } = this.#settings;
    return [
      `cluster:${this.name}`,
      `agent_ns:${bound.namespace}`,
      `agent_sa:${bound.serviceAccount}`,
      `agent_pod_name:${bound.podName}`,
      `agent_pod_uid:${bound.podUid}`,
      ...(pod.nodeIp === undefined ? [] : [`agent_node_ip:${pod.nodeIp}`]),
      `agent_node_name:${pod.nodeName}`,
      `agent_node_uid:${pod.nodeUid}`,
      ...allowed(pod.nodeLabels, nodeKeys).map(([key, value]) => `agent_node_label:${key}:${value}`),
      ...allowed(pod.podLabels, podKeys).map(([key, value]) => `agent_pod_label:${key}:${value}`),
    ];
  }

  close(): void {
    this.#client.close();
  }
}

function allowed(labels: Readonly<Record<string, string>>, keys: readonly string[]) {
  return Object.entries(labels).filter(([key]) => keys.includes(key));
}

function requireAddress(addresses: readonly string[], peer: string | undefined): void {
  // A BlockList compares addresses, not their many spellings.
  const own = new BlockList();
  for (const address of addresses) if (isIP(address) !== 0) own.addAddress(address, familyOf(address));
  if (peer !== undefined && isIP(peer) !== 0 && own.check(peer, familyOf(peer))) return;
  throw new IssuerError(
    'permission-denied',
    'the agent connects from an address that is neither its pod’s nor its node’s',
  );
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

function keySource({ jwks_file: file, issuer }: ClusterSettings, client: KubernetesClient): LoadKeys {
  if (file !== undefined && issuer !== undefined) {
    return async () => ({ issuer, keys: parseClusterKeys(await readKeys(file), file) });
  }
  return async (signal) => {
    const [discovery, keys] = await Promise.all([
      client.text('/.well-known/openid-configuration', 'application/json', signal),
      client.text('/openid/v1/jwks', 'application/jwk-set+json', signal),
    ]);
    return { issuer: issuerOf(discovery, 'its API'), keys: parseClusterKeys(keys, 'its API') };
  };
}

async function readKeys(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new IssuerError('unavailable', `the keys of the cluster in ${path} cannot be read: ${reasonOf(cause)}`);
  }
}

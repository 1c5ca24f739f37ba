import { ConfigError } from '@steeple/daemon';
import type { PluginDefinition, PluginKind } from './plugin.ts';

type Loaders = {
  readonly [K in PluginKind]: Readonly<Record<string, () => Promise<PluginDefinition<K>>>>;
};

/** Every plugin there is. Implementations load on demand, so that an agent never loads a database. */
const CATALOG: Loaders = {
  'key-manager': {
    disk: async () => (await import('./key-manager/disk.ts')).diskKeyManager,
    memory: async () => (await import('./key-manager/memory.ts')).memoryKeyManager,
  },
  datastore: {
    sql: async () => (await import('./datastore/sql.ts')).sqlDatastore,
    memory: async () => (await import('./datastore/memory.ts')).memoryDatastore,
  },
  'decision-engine': {
    cedar: async () => (await import('./decision-engine/cedar.ts')).cedarDecisionEngine,
  },
  'node-verifier': {
    aws_iid: async () => (await import('./node-attestor/aws-iid.ts')).awsIidVerifier,
    azure_imds: async () => (await import('./node-attestor/azure-imds.ts')).azureImdsVerifier,
    azure_msi: async () => (await import('./node-attestor/azure-msi.ts')).azureMsiVerifier,
    gcp_iit: async () => (await import('./node-attestor/gcp-iit.ts')).gcpIitVerifier,
    http_challenge: async () => (await import('./node-attestor/http-challenge.ts')).httpChallengeVerifier,
    join_token: async () => (await import('./node-attestor/join-token.ts')).joinTokenVerifier,
    k8s_psat: async () => (await import('./node-attestor/k8s-psat.ts')).k8sPsatVerifier,
    sshpop: async () => (await import('./node-attestor/sshpop.ts')).sshpopVerifier,
    tpm_devid: async () => (await import('./node-attestor/tpm-devid.ts')).tpmDevIdVerifier,
    x509pop: async () => (await import('./node-attestor/x509pop.ts')).x509popVerifier,
  },
  'node-prover': {
    aws_iid: async () => (await import('./node-attestor/aws-iid.ts')).awsIidProver,
    azure_imds: async () => (await import('./node-attestor/azure-imds.ts')).azureImdsProver,
    azure_msi: async () => (await import('./node-attestor/azure-msi.ts')).azureMsiProver,
    gcp_iit: async () => (await import('./node-attestor/gcp-iit.ts')).gcpIitProver,
    http_challenge: async () => (await import('./node-attestor/http-challenge.ts')).httpChallengeProver,
    join_token: async () => (await import('./node-attestor/join-token.ts')).joinTokenProver,
    k8s_psat: async () => (await import('./node-attestor/k8s-psat.ts')).k8sPsatProver,
    sshpop: async () => (await import('./node-attestor/sshpop.ts')).sshpopProver,
    tpm_devid: async () => (await import('./node-attestor/tpm-devid.ts')).tpmDevIdProver,
    x509pop: async () => (await import('./node-attestor/x509pop.ts')).x509popProver,
  },
  'bundle-publisher': {
    k8s_cluster_trust_bundle: async () =>
      (await import('./bundle-publisher/k8s-cluster-trust-bundle.ts')).k8sClusterTrustBundlePublisher,
    k8s_configmap: async () => (await import('./bundle-publisher/k8s-configmap.ts')).k8sConfigMapPublisher,
  },
  notifier: {
    k8sbundle: async () => (await import('./notifier/k8sbundle.ts')).k8sbundleNotifier,
  },
  'svid-store': {
    disk: async () => (await import('./svid-store/disk.ts')).diskSvidStore,
  },
  'upstream-authority': {
    disk: async () => (await import('./upstream-authority/disk.ts')).diskUpstream,
    spire: async () => (await import('./upstream-authority/spire.ts')).spireUpstream,
  },
  'workload-attestor': {
    k8s: async () => (await import('./workload-attestor/k8s.ts')).k8sAttestor,
    docker: async () => (await import('./workload-attestor/docker.ts')).dockerAttestor,
    systemd: async () => (await import('./workload-attestor/systemd.ts')).systemdAttestor,
    unix: async () => (await import('./workload-attestor/unix.ts')).unixAttestor,
  },
};

/** The names that exist for a kind, sorted. */
export function pluginNames(kind: PluginKind): readonly string[] {
  return Object.keys(CATALOG[kind]).sort();
}

/**
 * Loads a plugin by kind and name.
 *
 * @throws {ConfigError} for an unknown name, listing those that exist.
 */
export async function loadPlugin<K extends PluginKind>(kind: K, name: string): Promise<PluginDefinition<K>> {
  // Own members only: "constructor" is no plugin.
  const load = Object.hasOwn(CATALOG[kind], name) ? CATALOG[kind][name] : undefined;
  if (load !== undefined) return await load();
  const known = pluginNames(kind).map((each) => `"${each}"`);
  const message = `there is no ${kind} "${name}"; there ${known.length === 1 ? 'is' : 'are'} ${known.join(', ')}`;
  throw new ConfigError([{ path: `plugins.${kind}`, message }]);
}

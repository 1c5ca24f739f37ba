import type { Clock, Logger } from '@steeple/daemon';
import type { BundleSource, TrustDomain } from '@steeple/spiffe';
import type { z } from 'zod';
import type { BundlePublisher } from './bundle-publisher/bundle-publisher.ts';
import type { AgentStore } from './datastore/agent-store.ts';
import type { Datastore } from './datastore/datastore.ts';
import type { JoinTokenStore } from './datastore/join-token-store.ts';
import type { DecisionEngine } from './decision-engine/decision-engine.ts';
import type { KeyManager } from './key-manager/key-manager.ts';
import type { NodeProver, NodeVerifier } from './node-attestor/node-attestor.ts';
import type { SvidStore } from './svid-store/svid-store.ts';
import type { UpstreamAuthority } from './upstream-authority/upstream-authority.ts';
import type { WorkloadAttestor } from './workload-attestor/workload-attestor.ts';

/** What every plugin may ask of the process it runs in. */
export interface PluginHost {
  readonly logger: Logger;
  readonly clock: Clock;
  readonly trustDomain: TrustDomain;
}

/** What a node verifier gets from the server. */
export interface NodeVerifierHost extends PluginHost {
  readonly joinTokens: JoinTokenStore;
  /** The server's own bundle, for proofs made with SVIDs. */
  readonly bundles: BundleSource;
  /**
   * The agents that the server knows, to refuse a second attestation before asking others about the node, where it is
   * trusted on first use. The server refuses it in any case, when it writes the agent.
   */
  readonly agents?: Pick<AgentStore, 'get'>;
}

/** Per kind: what its `create` is given, and what it returns. */
export interface PluginKinds {
  readonly 'key-manager': { readonly host: PluginHost; readonly instance: KeyManager };
  readonly 'decision-engine': { readonly host: PluginHost; readonly instance: DecisionEngine };
  readonly datastore: { readonly host: PluginHost; readonly instance: Datastore };
  readonly 'node-verifier': { readonly host: NodeVerifierHost; readonly instance: NodeVerifier };
  readonly 'node-prover': { readonly host: PluginHost; readonly instance: NodeProver };
  readonly 'svid-store': { readonly host: PluginHost; readonly instance: SvidStore };
  readonly 'upstream-authority': { readonly host: PluginHost; readonly instance: UpstreamAuthority };
  readonly 'bundle-publisher': { readonly host: PluginHost; readonly instance: BundlePublisher };
  /** SPIRE's older kind for the same purpose. */
  readonly notifier: { readonly host: PluginHost; readonly instance: BundlePublisher };
  readonly 'workload-attestor': { readonly host: PluginHost; readonly instance: WorkloadAttestor };
}
export type PluginKind = keyof PluginKinds;

/** One implementation of one kind, before it is configured. */
export interface PluginDefinition<K extends PluginKind, Config = unknown> {
  readonly kind: K;
  /** The name in configuration files, as SPIRE has it. */
  readonly name: string;
  /** Of its `plugin_data`; unknown keys are refused. */
  readonly schema: z.ZodType<Config>;
  /**
   * Makes the instance from a configuration that the schema has accepted.
   *
   * @throws {ConfigError} naming the key or file at fault.
   */
  create(config: Config, host: PluginKinds[K]['host']): Promise<PluginKinds[K]['instance']>;
}

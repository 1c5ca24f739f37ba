import type { Certificate, TrustBundle, TrustDomain } from '@steeple/spiffe';
import type { AgentEntry } from './agent-entry.ts';

/** What became of one item of a batch: `code` is a gRPC status code. */
export type ItemResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: number; readonly message: string };

/** A token as the server issued it; times in Unix seconds. */
export interface IssuedToken {
  readonly token: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

export interface X509Request {
  readonly entryId: string;
  readonly csr: Uint8Array;
}

export interface WitRequest {
  readonly entryId: string;
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  /** JWS name of the algorithm the key will sign with. */
  readonly algorithm: string;
}

/** What the server announces on its own. */
export type PushEvent =
  /** From now on every change is announced; what came before is not known. */
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'changes';
      readonly entries: readonly AgentEntry[];
      readonly removedEntryIds: readonly string[];
      readonly bundles: readonly TrustBundle[];
    }
  /** Something was lost: ask for everything. */
  | { readonly kind: 'resync' };

/** What the agent asks of the server with its SVID, in values of ours. Every failure is a GrpcError. */
export interface ServerApi {
  /** Every entry this agent is authorized for; complete, or an error. Entries equal to a `known` one may be that object. */
  authorizedEntries(
    known: ReadonlyMap<string, AgentEntry>,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, AgentEntry>>;
  bundle(signal: AbortSignal): Promise<TrustBundle>;
  /** Undefined if the server has no bundle of that trust domain. */
  federatedBundle(trustDomain: TrustDomain, signal: AbortSignal): Promise<TrustBundle | undefined>;
  /** Chains leaf first, in the order asked. At most 500 at once. */
  newX509Svids(
    requests: readonly X509Request[],
    signal: AbortSignal,
  ): Promise<readonly ItemResult<readonly Certificate[]>[]>;
  newJwtSvid(entryId: string, audience: readonly string[], signal: AbortSignal): Promise<IssuedToken>;
  newWitSvids(requests: readonly WitRequest[], signal: AbortSignal): Promise<readonly ItemResult<IssuedToken>[]>;
  /** The chain of a new agent SVID, leaf first. */
  renewAgent(csr: Uint8Array, signal: AbortSignal): Promise<readonly Certificate[]>;
  /** `bundleSequence`: everything here has been replaced where the own bundle of that sequence asks for it. */
  postStatus(agentVersion: string, signal: AbortSignal, bundleSequence?: bigint): Promise<void>;
  /** Announcements until the server ends them; UNIMPLEMENTED from a server that knows no such thing. */
  watch(signal: AbortSignal): AsyncIterable<PushEvent>;
}

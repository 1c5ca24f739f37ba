import type { AgentRecord, Selector } from '@steeple/core';
import type { SpiffeId } from '@steeple/spiffe';

/** The conversation of one attestation, seen from one end; the messages' form belongs to the attestor. */
export interface AttestationChannel {
  send(data: Uint8Array): Promise<void>;
  /** The other end's next message; rejects when the conversation is over. */
  receive(): Promise<Uint8Array>;
  /** Server's end only: the IP address the agent connects from, if it is known. */
  readonly peerAddress?: string | undefined;
}

/** The agent's half: proves on which node it runs. */
export interface NodeProver {
  /** The attestation type on the wire, such as `join_token`. */
  readonly type: string;
  /**
   * Sends the payload first, then answers each challenge, and resolves after its last answer. `signal` aborts when the
   * conversation is over, and with it whatever was put up for it.
   *
   * @throws {IssuerError} `failed-precondition` if this node has nothing to prove with (no token, unreadable key);
   *   `invalid-argument` if the server's challenge makes no sense.
   */
  prove(channel: AttestationChannel, signal: AbortSignal): Promise<void>;
}

/** The server's half: believes, or throws. */
export interface NodeVerifier {
  readonly type: string;
  /**
   * Judges a payload, asking through the channel as often as the method needs.
   * The caller checks everything else first (the CSR above all): a proof may be good for one use only.
   *
   * @throws {IssuerError} `invalid-argument` for a malformed or used-up proof, `permission-denied` for one that does
   *   not convince.
   */
  verify(payload: Uint8Array, channel: AttestationChannel, signal: AbortSignal): Promise<VerifiedNode>;
}

/** What a verifier found out. */
export interface VerifiedNode {
  /** Always below `/spire/agent/` of the server's trust domain. */
  readonly agentId: SpiffeId;
  /** Of the attestor's own type, without duplicates. */
  readonly selectors: readonly Selector[];
  /**
   * Whether the same proof may be given again; if not, the agent renews its SVID instead, and without an `admit` it is
   * trusted on first use: while the server knows an agent of this ID, it refuses.
   */
  readonly canReattest: boolean;
  /**
   * For a proof that is good for one use: writes the agent and uses the proof up in one step, instead of
   * `AgentStore.save`, whose errors it has too.
   *
   * @throws {IssuerError} `invalid-argument` if somebody else has used it meanwhile
   */
  readonly admit?: (agent: AgentRecord) => Promise<void>;
}

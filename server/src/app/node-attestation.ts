import { type AgentRecord, dedupeSelectors, IssuerError, isAgentPath, isBanned, type Selector } from '@steeple/core';
import type { AgentStore, AttestationChannel, NodeVerifier } from '@steeple/plugins';
import type { SpiffeId, TrustDomain } from '@steeple/spiffe';
import type { CertificateAuthority, SignedX509 } from './certificate-authority.ts';
import { readRequest } from './svid-issuance.ts';

export interface AttestedAgent {
  readonly svid: SignedX509;
  readonly reattestable: boolean;
}

export interface AttestationSettings {
  /** Life of an agent's SVID in seconds. */
  readonly agentTtl: number;
  /** Each agent has its own ID among its selectors. */
  readonly agentIdAsSelector: boolean;
}

/** A node proves what it is and becomes an agent; an agent renews what it got. */
export class NodeAttestation {
  readonly #trustDomain: TrustDomain;
  readonly #verifiers: ReadonlyMap<string, NodeVerifier>;
  readonly #agents: AgentStore;
  readonly #ca: CertificateAuthority;
  readonly #settings: AttestationSettings;

  constructor(
    trustDomain: TrustDomain,
    verifiers: readonly NodeVerifier[],
    agents: AgentStore,
    ca: CertificateAuthority,
    settings: AttestationSettings,
  ) {
    this.#trustDomain = trustDomain;
    this.#verifiers = new Map(verifiers.map((verifier) => [verifier.type, verifier]));
    this.#agents = agents;
    this.#ca = ca;
    this.#settings = settings;
  }

  /**
   * Attests a node and issues its first SVID. The CSR is judged before the proof, which may be good for one use only.
   *
   * @throws {IssuerError} `invalid-argument`, `failed-precondition` for an unknown type, `permission-denied`
   */
  async attest(
    data: { readonly type: string; readonly payload: Uint8Array; readonly csr: Uint8Array },
    channel: AttestationChannel,
    signal: AbortSignal,
  ): Promise<AttestedAgent> {
    const verifier = this.#verifiers.get(data.type) ?? unknownType(data.type);
    const csr = readRequest(data.csr, 'failed to parse CSR', 'failed to parse CSR');
    const node = await verifier.verify(data.payload, channel, signal);
    if (!node.agentId.memberOf(this.#trustDomain) || !isAgentPath(node.agentId.path)) {
      throw new IssuerError('internal', `node attestor ${data.type} gave an ID that is no agent's`);
    }
    const known = await this.#agents.get(node.agentId);
    const onFirstUse = !node.canReattest && node.admit === undefined;
    if (known && onFirstUse) throw new IssuerError('permission-denied', ALREADY_USED);
    if (known && isBanned(known)) throw banned();
    const svid = await this.#ca.signX509({ id: node.agentId, spki: csr.spki, ttl: this.#settings.agentTtl });
    const record: AgentRecord = {
      id: node.agentId,
      attestationType: data.type,
      serial: svid.leaf.serialDecimal,
      expiresAt: svid.expiresAt,
      newSerial: '',
      newExpiresAt: 0,
      canReattest: node.canReattest,
      agentVersion: '',
      selectors: dedupeSelectors([...node.selectors, ...this.#ownSelector(node.agentId)]),
    };
    // The store refuses a banned agent, and a second first use, in the same step: what came meanwhile wins.
    const admit = node.admit ?? ((agent: AgentRecord) => this.#agents.save(agent, { onlyNew: onFirstUse }));
    await admit(record).catch((error: unknown) => {
      throw error instanceof IssuerError && error.agentReason === 'banned' ? banned(error) : error;
    });
    return { svid, reattestable: node.canReattest };
  }

  #ownSelector(id: SpiffeId): Selector[] {
    return this.#settings.agentIdAsSelector ? [{ type: 'spiffe_id', value: id.toString() }] : [];
  }

  /**
   * Issues an agent its next SVID. The old one works until the new one is used for the first time.
   *
   * @throws {IssuerError} `permission-denied` (`must-reattest`) for an agent that can attest again
   */
  async renew(agent: AgentRecord, csrDer: Uint8Array): Promise<SignedX509> {
    const csr = readRequest(csrDer, 'failed to parse CSR', 'failed to parse CSR');
    if (agent.canReattest) {
      throw new IssuerError('permission-denied', 'agent must reattest instead of renew', {
        agentReason: 'must-reattest',
      });
    }
    const svid = await this.#ca.signX509({ id: agent.id, spki: csr.spki, ttl: this.#settings.agentTtl });
    await this.#agents.stageSerial(agent.id, svid.leaf.serialDecimal, svid.expiresAt);
    return svid;
  }
}

const ALREADY_USED = 'attestation data has already been used to attest an agent';

const unknownType = (type: string): never => {
  throw new IssuerError(
    'failed-precondition',
    `error getting node attestor: could not find node attestor type "${type}"`,
  );
};

// Without a reason for the agent: SPIRE gives none here.
const banned = (cause?: IssuerError): IssuerError =>
  new IssuerError('permission-denied', 'failed to attest: agent is banned', cause && { cause });

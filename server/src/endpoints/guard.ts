import { peerOf } from '@steeple/client/tls';
import { type AgentReason, type AgentRecord, type CallerKind, judgeAgent, kindsToTry } from '@steeple/core';
import type { Clock } from '@steeple/daemon';
import type { Peer } from '@steeple/daemon/listen';
import type { AgentStore, EntryStore } from '@steeple/plugins';
import { type CallContext, Code, GrpcError, type Middleware } from '@steeple/proto/grpc';
import type { SpiffeId } from '@steeple/spiffe';
import { type Caller, setCaller } from '../api/caller.ts';
import { agentDetail } from '../api/status.ts';

/** What the guard asks to find out who is calling. */
export interface GuardParts {
  readonly peer: (key: string) => Peer | undefined;
  readonly agents: AgentStore;
  readonly entries: EntryStore;
  readonly adminIds: readonly SpiffeId[];
  readonly clock: Clock;
}

type Stranger = Omit<Caller, 'as' | 'via' | 'agent' | 'downstream'>;
type Verdict = Pick<Caller, 'via'> & Partial<Pick<Caller, 'agent' | 'downstream'>>;

/**
 * Lets a call in if one of the kinds its row allows fits the caller, and notes who it is. Agents and entries are looked
 * up at every call, so a ban bites on connections that are open already.
 */
export const guard = (parts: GuardParts): Middleware => {
  const tests = callerTests(parts);
  return async ({ ctx }, next) => {
    const stranger = identify(parts.peer(ctx.peerKey), ctx);
    let reason: AgentReason | undefined;
    for (const kind of kindsToTry(ctx.method)) {
      const verdict = await tests[kind](stranger);
      if (verdict && !('refused' in verdict)) {
        setCaller(ctx, { ...stranger, as: kind, agent: undefined, downstream: [], ...verdict });
        return next();
      }
      reason = verdict?.refused;
    }
    throw denied(ctx.method, reason);
  };
};

type Test = (caller: Stranger) => Promise<Verdict | { refused: AgentReason } | undefined>;

const callerTests = (parts: GuardParts): Record<CallerKind, Test> => ({
  any: async () => ({ via: 'any' }),
  local: async (caller) => (caller.process ? { via: 'transport' } : undefined),
  admin: async ({ id, certificate }) => {
    if (!id || !isCurrent(certificate, parts.clock)) return undefined;
    if (parts.adminIds.some((admin) => admin.equals(id))) return { via: 'config' };
    return (await parts.entries.count({ spiffeId: id, admin: true })) > 0 ? { via: 'entries' } : undefined;
  },
  downstream: async ({ id, certificate }) => {
    if (!id || !isCurrent(certificate, parts.clock)) return undefined;
    const { items } = await parts.entries.list({ filter: { spiffeId: id, downstream: true } });
    return items.length > 0 ? { via: 'entries', downstream: items } : undefined;
  },
  agent: async ({ id, certificate }) => {
    if (!id || !certificate) return undefined;
    const found = await judged(parts, id, certificate);
    return typeof found === 'string' ? { refused: found } : { via: 'datastore', agent: found };
  },
});

const judged = async (
  { agents, clock }: GuardParts,
  id: SpiffeId,
  certificate: NonNullable<Caller['certificate']>,
): Promise<AgentRecord | AgentReason> => {
  const record = await agents.get(id);
  const verdict = judgeAgent(record, certificate.serialDecimal, certificate.notAfter, clock.now());
  if (typeof verdict === 'object') return verdict.refused;
  if (verdict === 'current') return record ?? 'not-attested';
  // First use of a renewed SVID; the old one stops working from here on.
  return (await agents.activateSerial(id, certificate.serialDecimal)) ?? 'not-active';
};

const identify = (peer: Peer | undefined, ctx: CallContext): Stranger => {
  // The connection is gone; nobody reads the answer.
  if (!peer) throw denied(ctx.method);
  if (peer.kind === 'unix') {
    const { pid, uid, gid } = peer.credentials;
    return { address: undefined, process: { pid, uid, gid }, id: undefined, certificate: undefined };
  }
  const verified = peer.tls && peerOf(peer.tls);
  return { address: peer.address, process: undefined, id: verified?.id, certificate: verified?.chain[0] };
};

// Checked at the handshake already, but a connection outlives it.
const isCurrent = (certificate: Caller['certificate'], clock: Clock): boolean =>
  certificate !== undefined && clock.now() <= certificate.notAfter;

const denied = (method: string, reason?: AgentReason): GrpcError =>
  new GrpcError(Code.PERMISSION_DENIED, `authorization denied for method ${method}`, {
    details: reason ? [agentDetail(reason)] : [],
  });

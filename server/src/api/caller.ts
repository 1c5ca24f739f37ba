import type { AgentRecord, CallerKind, RegistrationEntry } from '@steeple/core';
import { type CallContext, callSlot } from '@steeple/proto/grpc';
import type { Certificate, SpiffeId } from '@steeple/spiffe';

/** Who makes this call, as the guard found out. */
export interface Caller {
  /** The row of the method table that let the call in. */
  readonly as: CallerKind;
  /** Why: 'config' and 'entries' for an admin, 'transport' for local callers, 'datastore' for agents. */
  readonly via: string;
  /** Source address without port; undefined on the admin socket. */
  readonly address: string | undefined;
  /** Set on the admin socket only. */
  readonly process: { readonly pid: number; readonly uid: number; readonly gid: number } | undefined;
  /** From the verified client certificate. */
  readonly id: SpiffeId | undefined;
  readonly certificate: Certificate | undefined;
  /** Set when `as` is 'agent'. */
  readonly agent: AgentRecord | undefined;
  /** Set when `as` is 'downstream'. */
  readonly downstream: readonly RegistrationEntry[];
}

const callers = callSlot<Caller>('caller');

export const setCaller = (ctx: CallContext, caller: Caller): void => {
  callers.set(ctx, caller);
};

/** The caller of a call that passed the guard. A call that did not is a mistake in wiring, so it throws. */
export const callerOf = (ctx: CallContext): Caller => {
  const caller = callers.get(ctx);
  if (!caller) throw new Error('no caller is known for this call');
  return caller;
};

/** The agent record of an agent's call. */
export const agentOf = (ctx: CallContext): AgentRecord => {
  const { agent } = callerOf(ctx);
  if (!agent) throw new Error('the call does not come from an agent');
  return agent;
};

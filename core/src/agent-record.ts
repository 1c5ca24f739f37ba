import type { SpiffeId } from '@steeple/spiffe';
import type { AgentReason } from './errors.ts';
import type { Selector } from './selector.ts';

/** What the server remembers of an attested node. Serials are decimal texts, times Unix seconds. */
export interface AgentRecord {
  readonly id: SpiffeId;
  readonly attestationType: string;
  /** Serial of the certificate in use; empty = banned. */
  readonly serial: string;
  readonly expiresAt: number;
  /** Serial of a renewed certificate that has not been used yet; empty = none. */
  readonly newSerial: string;
  readonly newExpiresAt: number;
  readonly canReattest: boolean;
  readonly agentVersion: string;
  readonly selectors: readonly Selector[];
}

/** `activate`: the renewed certificate was used for the first time, so it replaces the old one from now on. */
export type AgentVerdict = 'current' | 'activate' | { readonly refused: Exclude<AgentReason, 'must-reattest'> };

/** Whether the owner of this certificate is an agent that may act now. */
export function judgeAgent(
  record: AgentRecord | undefined,
  serial: string,
  certNotAfter: number,
  now: number,
): AgentVerdict {
  // Written so that a NaN refuses.
  if (!(now <= certNotAfter)) return { refused: 'expired' };
  if (record === undefined) return { refused: 'not-attested' };
  if (record.serial === '') return { refused: 'banned' };
  // Empty texts mean "none" in the record, so an empty serial must equal nothing.
  if (serial === '') return { refused: 'not-active' };
  if (serial === record.serial) return 'current';
  if (serial === record.newSerial) return 'activate';
  return { refused: 'not-active' };
}

/** Whether the agent was banned. */
export function isBanned(record: Pick<AgentRecord, 'serial'>): boolean {
  return record.serial === '';
}

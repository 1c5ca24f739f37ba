import type { MessageInitShape } from '@bufbuild/protobuf';
import { type AgentFilter, type AgentRecord, IssuerError, isBanned } from '@steeple/core';
import type { types } from '@steeple/proto/server-api';
import { wireTime } from './number.ts';
import { readSelectorFilter, wireSelectors } from './selectors.ts';
import { prefixed, wireId } from './spiffe-id.ts';

export type WireAgent = MessageInitShape<typeof types.AgentSchema>;
type Mask = Readonly<Record<keyof Omit<types.AgentMask, '$typeName' | '$unknown'>, boolean>>;

/** The wire form of an agent. Without a mask it is whole; the ID is always there. */
export const wireAgent = (agent: AgentRecord, mask?: Mask): WireAgent => {
  const has = (field: keyof Mask): boolean => !mask || mask[field];
  return {
    id: wireId(agent.id),
    ...(has('attestationType') && { attestationType: agent.attestationType }),
    ...(has('x509svidSerialNumber') && { x509svidSerialNumber: agent.serial }),
    ...(has('x509svidExpiresAt') && { x509svidExpiresAt: wireTime(agent.expiresAt) }),
    ...(has('selectors') && { selectors: wireSelectors(agent.selectors) }),
    ...(has('banned') && { banned: isBanned(agent) }),
    ...(has('canReattest') && { canReattest: agent.canReattest }),
    ...(has('agentVersion') && { agentVersion: agent.agentVersion }),
  };
};

interface Filter {
  byAttestationType: string;
  bySelectorMatch?: types.SelectorMatch | undefined;
  byBanned?: boolean | undefined;
  byCanReattest?: boolean | undefined;
  byExpiresBefore: string;
}

/** Reads the filter of a list or count. @throws {IssuerError} `invalid-argument` */
export const readAgentFilter = (wire: Filter | undefined): AgentFilter => ({
  ...(wire?.byAttestationType && { attestationType: wire.byAttestationType }),
  ...(wire?.bySelectorMatch && {
    selectors: prefixed('failed to parse selectors', () => readSelectorFilter(wire.bySelectorMatch)),
  }),
  ...(wire?.byBanned !== undefined && { banned: wire.byBanned }),
  ...(wire?.byCanReattest !== undefined && { canReattest: wire.byCanReattest }),
  ...(wire?.byExpiresBefore && { expiresBefore: readGoTime(wire.byExpiresBefore) }),
});

/** Go's layout `2006-01-02 15:04:05 -0700 -07`, the zone written twice. */
const GO_TIME = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d+)? ([+-]\d\d)(\d\d) \S+$/;

const readGoTime = (text: string): number => {
  const parts = GO_TIME.exec(text);
  const instant = parts ? Date.parse(`${parts[1]}T${parts[2]}${parts[3]}:${parts[4]}`) : Number.NaN;
  if (Number.isNaN(instant))
    throw new IssuerError(
      'invalid-argument',
      'failed to parse expires_before: not in the form "2006-01-02 15:04:05 -0700 -07"',
    );
  return instant / 1000;
};

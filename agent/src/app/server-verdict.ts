import { IssuerError } from '@steeple/core';
import { Code, findDetail, GrpcError } from '@steeple/proto/grpc';
import { types } from '@steeple/proto/server-api';

const Reason = types.PermissionDeniedDetails_Reason;

const CONSEQUENCES: Readonly<Record<number, ServerVerdict>> = {
  [Reason.AGENT_BANNED]: 'banned',
  [Reason.AGENT_EXPIRED]: 'reattest',
  [Reason.AGENT_NOT_ATTESTED]: 'reattest',
  [Reason.AGENT_NOT_ACTIVE]: 'reattest',
  [Reason.AGENT_MUST_REATTEST]: 'reattest',
};

/**
 * What a failed call means for the agent's own identity: nothing (`retry`), that it must attest again (`reattest`), or
 * that it is not wanted (`banned`).
 */
export type ServerVerdict = 'retry' | 'reattest' | 'banned';

/** Reads the detail that the server gives with PermissionDenied; without it, the error is an ordinary one. */
export function serverVerdict(error: unknown): ServerVerdict {
  if (!(error instanceof GrpcError) || error.code !== Code.PERMISSION_DENIED) return 'retry';
  const reason = findDetail(error, types.PermissionDeniedDetailsSchema)?.reason ?? Reason.UNKNOWN;
  return CONSEQUENCES[reason] ?? 'retry';
}

/** Whether the server says of itself that this node can attest again, whatever we remember of that. */
export function wantsReattestation(error: unknown): boolean {
  if (!(error instanceof GrpcError)) return false;
  return findDetail(error, types.PermissionDeniedDetailsSchema)?.reason === Reason.AGENT_MUST_REATTEST;
}

/** Refusals of an attestation that no repetition will change. */
const FINAL_REFUSALS: ReadonlySet<number> = new Set([
  Code.INVALID_ARGUMENT,
  Code.NOT_FOUND,
  Code.ALREADY_EXISTS,
  Code.PERMISSION_DENIED,
  Code.FAILED_PRECONDITION,
  Code.UNIMPLEMENTED,
  Code.UNAUTHENTICATED,
]);

/** Whether asking again with the same proof is pointless. */
export function isFinalRefusal(error: unknown): boolean {
  // This node has nothing to prove with.
  if (error instanceof IssuerError) return error.code === 'failed-precondition';
  return error instanceof GrpcError && FINAL_REFUSALS.has(error.code);
}

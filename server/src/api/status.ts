import { type AgentReason, IssuerError, type IssuerErrorCode } from '@steeple/core';
import { Code, type ErrorCode, GrpcError, packDetail } from '@steeple/proto/grpc';
import { types } from '@steeple/proto/server-api';

/** Our error codes as gRPC status codes; the one table. */
const GRPC_CODE: Readonly<Record<IssuerErrorCode, ErrorCode>> = {
  'invalid-argument': Code.INVALID_ARGUMENT,
  'not-found': Code.NOT_FOUND,
  'already-exists': Code.ALREADY_EXISTS,
  'permission-denied': Code.PERMISSION_DENIED,
  'resource-exhausted': Code.RESOURCE_EXHAUSTED,
  'failed-precondition': Code.FAILED_PRECONDITION,
  unimplemented: Code.UNIMPLEMENTED,
  internal: Code.INTERNAL,
  unavailable: Code.UNAVAILABLE,
  unauthenticated: Code.UNAUTHENTICATED,
};

const { PermissionDeniedDetails_Reason: Reason } = types;

/** What the agent is told about its refusal; its reaction depends on it. */
const REASON: Readonly<Record<AgentReason, types.PermissionDeniedDetails_Reason>> = {
  expired: Reason.AGENT_EXPIRED,
  'not-attested': Reason.AGENT_NOT_ATTESTED,
  'not-active': Reason.AGENT_NOT_ACTIVE,
  banned: Reason.AGENT_BANNED,
  'must-reattest': Reason.AGENT_MUST_REATTEST,
};

/** The status of one item of a batch. */
export interface ItemStatus {
  code: number;
  message: string;
}

export const itemOk = (): ItemStatus => ({ code: 0, message: 'OK' });

/** The status of an item that failed; what is no known error is Internal without its text. */
export const itemStatus = (error: unknown): ItemStatus => {
  const { code, message } = toGrpcError(error);
  return { code, message };
};

/** What the caller is told about an error. The text of an unknown error is not told; it is kept as the cause. */
export const toGrpcError = (error: unknown): GrpcError => {
  if (error instanceof GrpcError) return error;
  if (!(error instanceof IssuerError)) return new GrpcError(Code.INTERNAL, 'internal error', { cause: error });
  const details = error.agentReason ? [agentDetail(error.agentReason)] : [];
  return new GrpcError(GRPC_CODE[error.code], error.message, { cause: error, details });
};

/** The detail that tells an agent why it was refused. */
export const agentDetail = (reason: AgentReason): ReturnType<typeof packDetail> =>
  packDetail(types.PermissionDeniedDetailsSchema, { reason: REASON[reason] });

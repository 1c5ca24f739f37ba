import { create, toBinary } from '@bufbuild/protobuf';
import { type AgentReason, IssuerError, type IssuerErrorCode } from '@steeple/core';
import { GrpcError } from '@steeple/proto/grpc';
import { types } from '@steeple/proto/server-api';

/** Our error codes as gRPC status codes; the one table. */
const GRPC_CODE: Record<IssuerErrorCode, number> = {
  'invalid-argument': 3,
  'not-found': 5,
  'already-exists': 6,
  'permission-denied': 7,
  'resource-exhausted': 8,
  'failed-precondition': 9,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
};

const REASON: Record<AgentReason, types.PermissionDeniedDetails_Reason> = {
  expired: types.PermissionDeniedDetails_Reason.AGENT_EXPIRED,
  'not-attested': types.PermissionDeniedDetails_Reason.AGENT_NOT_ATTESTED,
  'not-active': types.PermissionDeniedDetails_Reason.AGENT_NOT_ACTIVE,
  banned: types.PermissionDeniedDetails_Reason.AGENT_BANNED,
  'must-reattest': types.PermissionDeniedDetails_Reason.AGENT_MUST_REATTEST,
};

/** The status of a batch item that succeeded. */
export const itemOk = (): types.Status => create(types.StatusSchema, { code: 0, message: 'OK' });

/** The status of a batch item that failed; anything that is not a known error is Internal without its text. */
export const itemStatus = (error: unknown): types.Status => {
  const { code, message } = toGrpcError(error);
  return create(types.StatusSchema, { code, message });
};

/** What the caller is told about an error. The text of an unknown error is not told. */
export const toGrpcError = (error: unknown): GrpcError => {
  if (error instanceof GrpcError) return error;
  if (!(error instanceof IssuerError)) return GrpcError.of(GRPC_CODE.internal, 'internal error');
  return GrpcError.of(GRPC_CODE[error.code], error.message, agentDetail(error.agentReason));
};

/** Whether the error's cause belongs in the log at error level: the server's fault, not the caller's. */
export const isServerFault = (error: unknown): boolean => {
  const { code } = toGrpcError(error);
  return code === GRPC_CODE.internal || code === 2;
};

const agentDetail = (reason: AgentReason | undefined): { typeUrl: string; value: Uint8Array } | undefined => {
  if (!reason) return undefined;
  const details = create(types.PermissionDeniedDetailsSchema, { reason: REASON[reason] });
  return {
    typeUrl: `type.googleapis.com/${types.PermissionDeniedDetailsSchema.typeName}`,
    value: toBinary(types.PermissionDeniedDetailsSchema, details),
  };
};

import { type CallContext, Code, callSlot } from '@steeple/proto/grpc';
import { type ItemStatus, itemOk, toGrpcError } from './status.ts';

const faults = callSlot<unknown[]>('faults');

/**
 * Runs one item of a batch: its value with status OK, or its failure as a status. Never throws. What was the server's
 * own fault is kept for the log, see `faultsOf`.
 */
export const attempt = async <T>(
  ctx: CallContext,
  work: () => T | Promise<T>,
): Promise<{ status: ItemStatus; value?: T }> => {
  try {
    return { status: itemOk(), value: await work() };
  } catch (error) {
    const { code, message } = toGrpcError(error);
    if (code === Code.INTERNAL) faults.set(ctx, [...faultsOf(ctx), error]);
    return { status: { code, message } };
  }
};

/** Errors behind items that answered Internal; their texts are for the log only. */
export const faultsOf = (ctx: CallContext): readonly unknown[] => faults.get(ctx) ?? [];

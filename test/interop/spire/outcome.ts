import { findDetail, GrpcError, statusName } from '@steeple/proto/grpc';
import { types } from '@steeple/proto/server-api';

const reasons = new Map<number, string>(
  Object.entries(types.PermissionDeniedDetails_Reason).map(([name, value]) => [value, name]),
);

/** What became of a call: OK, or the status with its message and, in brackets, the reason an agent acts on. */
export async function outcome(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'OK';
  } catch (error) {
    if (!(error instanceof GrpcError)) throw error;
    const detail = findDetail(error, types.PermissionDeniedDetailsSchema);
    const reason = detail === undefined ? '' : ` [${reasons.get(detail.reason) ?? detail.reason}]`;
    return `${statusName(error.code)}: ${error.message}${reason}`;
  }
}

/** That a call ended in this way. */
export async function expectOutcome(what: string, call: Promise<unknown>, expected: RegExp | string): Promise<void> {
  const found = await outcome(call);
  const fits = typeof expected === 'string' ? found === expected : expected.test(found);
  if (!fits) throw new Error(`${what}: expected ${expected}, not ${found}`);
}

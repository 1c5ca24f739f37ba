import type { Clock } from '@steeple/daemon';
import type { Middleware } from '@steeple/proto/grpc';
import { agentV1, entryV1, svidV1 } from '@steeple/proto/server-api';
import { syncV1 } from '@steeple/proto/steeple-api';
import { CallQueue } from './call-queue.ts';

/** What a call costs, in milliseconds of this process's time; one that is not named costs half of one. */
const COSTS: ReadonlyMap<string, number> = new Map([
  [`/${agentV1.Agent.typeName}/AttestAgent`, 3],
  [`/${agentV1.Agent.typeName}/RenewAgent`, 2],
  [`/${entryV1.Entry.typeName}/GetAuthorizedEntries`, 1],
  [`/${entryV1.Entry.typeName}/SyncAuthorizedEntries`, 1],
]);
const OTHERS = 0.5;
/** Of each item of a batch of signing requests. */
const SIGNING = 0.3;

const ATTEST = `/${agentV1.Agent.typeName}/AttestAgent`;
const WATCH = `/${syncV1.Sync.typeName}/Watch`;

/** Seconds after which a stream no longer counts: it then waits for its client and not for the processor. */
const STREAM_HOLD = 1;

/**
 * Lets remote calls in at the pace at which they are done, and tells the rest when to come again. Strangers, who want to
 * attest, have a queue of their own, so however many they are they take nothing from agents that are known.
 */
export const callAdmission = (clock: Pick<Clock, 'monotonic' | 'sleep'>): Middleware => {
  const strangers = new CallQueue(clock, { running: 24 });
  const members = new CallQueue(clock);
  return async ({ ctx, method, request }, next) => {
    const queue = ctx.method === ATTEST ? strangers : members;
    const entered = queue.enter(costOf(ctx.method, request), () => ctx.signal);
    const leave = entered instanceof Promise ? await entered : entered;
    if (ctx.method === WATCH) leave();
    const over = method.methodKind === 'unary' ? undefined : new AbortController();
    if (over) void leaveLater(clock, leave, over.signal);
    try {
      await next();
    } finally {
      leave();
      over?.abort();
    }
  };
};

const costOf = (method: string, request: unknown): number => {
  const params = (request as { params?: unknown } | undefined)?.params;
  if (method.startsWith(`/${svidV1.SVID.typeName}/`))
    return Math.max(1, SIGNING * (Array.isArray(params) ? params.length : 1));
  return COSTS.get(method) ?? OTHERS;
};

const leaveLater = async (clock: Pick<Clock, 'sleep'>, leave: () => void, over: AbortSignal): Promise<void> => {
  try {
    await clock.sleep(STREAM_HOLD, over);
    leave();
  } catch {
    // The call was over before.
  }
};

import { Code, GrpcError, statusName } from '@steeple/proto/grpc';
import type { Clock } from '../clock.ts';
import type { Labels, Metrics } from './metrics.ts';

/** What counts calls. */
export interface CallMeter {
  readonly metrics: Metrics;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** The gRPC status code of an error that is no GrpcError; Unknown without it. */
  readonly codeOf?: (error: unknown) => number;
}

/**
 * Runs some work as SPIRE's "call counter": a counter `key` and a timer `key.elapsed_time`, both with the label `status`.
 * The outcome of the work comes through.
 */
export const measureCall = async <T>(
  { metrics, clock, codeOf = () => Code.UNKNOWN }: CallMeter,
  key: string,
  work: () => T | Promise<T>,
  labels?: Labels,
): Promise<T> => {
  const started = clock.monotonic();
  const count = (code: number): void => countCall(metrics, key, clock.monotonic() - started, code, labels);
  try {
    const value = await work();
    count(Code.OK);
    return value;
  } catch (error) {
    count(error instanceof GrpcError ? error.code : codeOf(error));
    throw error;
  }
};

/** Counts a call that is over: `code` is its gRPC status code, `seconds` its duration. */
export const countCall = (metrics: Metrics, key: string, seconds: number, code: number, labels?: Labels): void => {
  const all = labels === undefined ? statusOnly(code) : { ...labels, status: statusName(code) };
  metrics.counter(key, all);
  metrics.timer(elapsedKey(key), seconds, all);
};

// Made once: of a frozen object the series is found at once.
const statuses = new Map<number, Labels>();

const statusOnly = (code: number): Labels => {
  let labels = statuses.get(code);
  if (labels === undefined) statuses.set(code, (labels = Object.freeze({ status: statusName(code) })));
  return labels;
};

const elapsedKeys = new Map<string, string>();

const elapsedKey = (key: string): string => {
  let elapsed = elapsedKeys.get(key);
  if (elapsed === undefined) elapsedKeys.set(key, (elapsed = `${key}.elapsed_time`));
  return elapsed;
};

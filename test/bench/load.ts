// Keeping calls in flight, and what the process that answers them spends on each.
import { cpuSeconds } from './figures.ts';

export interface Load {
  /** Calls in flight. */
  readonly width: number;
  /** Units of work in one call. */
  readonly units: number;
  /** One call; `lane` tells which of the lanes makes it. */
  readonly call: (lane: number) => Promise<unknown>;
}

export interface Spent {
  readonly units: number;
  readonly seconds: number;
  /** Processor seconds of the measured process. */
  readonly cpu: number;
}

/** Runs a load for some seconds. */
export async function spend(pid: number, seconds: number, { width, units, call }: Load): Promise<Spent> {
  const start = performance.now();
  const cpu = cpuSeconds(pid);
  let done = 0;
  const lane = async (_: unknown, index: number): Promise<void> => {
    while (performance.now() - start < seconds * 1000) {
      await call(index);
      done += units;
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
  return { units: done, seconds: (performance.now() - start) / 1000, cpu: cpuSeconds(pid) - cpu };
}

/** Several measurements as one. */
export function together(parts: readonly Spent[]): Spent {
  return parts.reduce((sum, part) => ({
    units: sum.units + part.units,
    seconds: sum.seconds + part.seconds,
    cpu: sum.cpu + part.cpu,
  }));
}

export const perUnit = ({ units, cpu }: Spent): number => cpu / units;
export const unitRate = ({ units, seconds }: Spent): number => units / seconds;

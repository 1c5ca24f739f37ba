// Reading figures: rates, percentiles, memory, and the lines that go into docs/benchmarks.md.
import { readFileSync } from 'node:fs';

export interface Figure {
  readonly what: string;
  readonly value: string;
  /** What the machine itself can do, measured in the same run, or the aim. */
  readonly against: string;
}

export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

export const milliseconds = (seconds: number): string => `${(seconds * 1000).toFixed(1)} ms`;

export const perSecond = (rate: number): string => `${Math.round(rate).toLocaleString('en')}/s`;

export const percent = (part: number): string => `${Math.round(part * 100)} %`;

/** Resident memory of a process, in MiB. */
export function residentMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(status.match(/^VmRSS:\s+(\d+) kB/m)?.[1]) / 1024;
}

/** Processor seconds that a process has used. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Calls `work` again and again for about `seconds` and returns calls per second: the median of five parts. */
export function rate(seconds: number, work: () => void): number {
  const parts = Array.from({ length: 5 }, () => {
    const start = performance.now();
    const end = start + (seconds / 5) * 1000;
    let calls = 0;
    for (; performance.now() < end; calls += 1) work();
    return calls / ((performance.now() - start) / 1000);
  });
  return percentile(parts, 0.5);
}

export function printFigures(figures: readonly Figure[]): void {
  console.log('\n| what | measured | against |\n|---|---|---|');
  for (const { what, value, against } of figures) console.log(`| ${what} | ${value} | ${against} |`);
}

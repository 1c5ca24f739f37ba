import { readdirSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import type { Gauge as GaugeOf, Registry } from 'prom-client';
import { promClient } from './prom-client.ts';

/**
 * What every Prometheus client tells of its process, under the usual names, read when somebody asks. Not prom-client's
 * own set: its event loop monitor wakes an idle process a hundred times a second.
 */
export const addProcessMetrics = (registry: Registry): void => {
  const { Gauge } = promClient();
  const started = (performance.timeOrigin ?? 0) / 1000;
  const gauges: [name: string, help: string, read: () => number][] = [
    ['process_cpu_seconds_total', 'CPU time spent by the process in seconds', cpuSeconds],
    ['process_resident_memory_bytes', 'Resident memory in bytes', () => process.memoryUsage.rss()],
    ['process_start_time_seconds', 'Start of the process in Unix seconds', () => started],
    ['process_open_fds', 'Open file descriptors', openFiles],
    ['nodejs_heap_used_bytes', 'Used heap in bytes', () => process.memoryUsage().heapUsed],
    ['nodejs_heap_total_bytes', 'Heap in bytes', () => process.memoryUsage().heapTotal],
    ['nodejs_eventloop_utilization', 'Share of time the event loop was busy since the start', eventLoop],
  ];
  for (const [name, help, read] of gauges) {
    const gauge: GaugeOf = new Gauge({ name, help, registers: [registry], collect: () => gauge.set(read()) });
  }
};

const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

const openFiles = (): number => {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return Number.NaN;
  }
};

const eventLoop = (): number => performance.eventLoopUtilization().utilization;

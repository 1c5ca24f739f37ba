import type { Gauge, Registry } from 'prom-client';
import type { Logger } from '../logger.ts';
import type { MetricKind, MetricSink, Series } from './metric-sink.ts';
import type { Labels } from './metrics.ts';
import { PlainMetric } from './plain-metric.ts';
import { addProcessMetrics } from './process-metrics.ts';
import { promClient } from './prom-client.ts';
import { WindowedSummary } from './windowed-summary.ts';

type Open = (labels: Labels) => Series;

/** Keeps the numbers until Prometheus comes for them. */
export class PrometheusSink implements MetricSink {
  readonly #registry: Registry = new (promClient().Registry)();
  readonly #metrics = new Map<string, { readonly kind: MetricKind; readonly names: string; readonly open: Open }>();
  readonly #logger: Logger;
  readonly #now: () => number;

  /** `monotonic`: seconds that never go back. */
  constructor(logger: Logger, monotonic: () => number) {
    this.#logger = logger;
    this.#now = monotonic;
    addProcessMetrics(this.#registry);
  }

  readonly contentType: string = promClient().Registry.PROMETHEUS_CONTENT_TYPE;

  /** Everything, in Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  series(kind: MetricKind, key: string, labels: Labels): Series {
    const name = key.replaceAll(/[^A-Za-z0-9_:]/g, '_');
    const names = Object.keys(labels).sort().join();
    let metric = this.#metrics.get(name);
    if (metric === undefined) {
      metric = { kind, names, open: this.#create(kind, name) };
      this.#metrics.set(name, metric);
    }
    if (metric.kind === kind && metric.names === names) return metric.open(labels);
    // One name can be of one type and have one set of labels only; the first stays.
    this.#logger.warn('A metric cannot be shown to Prometheus: its name is taken', {
      metric: name,
      kind,
      labels: names,
    });
    return () => {};
  }

  #create(kind: MetricKind, name: string): Open {
    const metric = kind === 'sample' ? new WindowedSummary(name, name, this.#now) : new PlainMetric(kind, name, name);
    // The registry needs no more of a metric than these have.
    this.#registry.registerMetric(metric as unknown as Gauge);
    return (labels) => metric.series(labels);
  }
}

import { Counter, Gauge, Registry } from 'prom-client';
import type { Logger } from '../logger.ts';
import type { MetricKind, MetricSink, Series } from './metric-sink.ts';
import type { Labels } from './metrics.ts';
import { addProcessMetrics } from './process-metrics.ts';
import { WindowedSummary } from './windowed-summary.ts';

type Open = (labels: Labels) => Series;

/** Keeps the numbers until Prometheus comes for them. */
export class PrometheusSink implements MetricSink {
  readonly #registry = new Registry();
  readonly #metrics = new Map<string, { readonly kind: MetricKind; readonly names: string; readonly open: Open }>();
  readonly #logger: Logger;
  readonly #now: () => number;

  /** `monotonic`: seconds that never go back. */
  constructor(logger: Logger, monotonic: () => number) {
    this.#logger = logger;
    this.#now = monotonic;
    addProcessMetrics(this.#registry);
  }

  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;

  /** Everything, in Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  series(kind: MetricKind, key: string, labels: Labels): Series {
    const name = key.replaceAll(/[^A-Za-z0-9_:]/g, '_');
    const names = Object.keys(labels).sort().join();
    let metric = this.#metrics.get(name);
    if (metric === undefined) {
      metric = { kind, names, open: this.#create(kind, name, Object.keys(labels)) };
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

  #create(kind: MetricKind, name: string, labelNames: string[]): Open {
    const config = { name, help: name, labelNames, registers: [this.#registry] };
    switch (kind) {
      case 'counter': {
        const counter = new Counter(config);
        return (labels) => {
          const series = counter.labels(labels);
          return (n) => {
            // A sum never falls; prom-client would throw.
            if (n >= 0) series.inc(n);
          };
        };
      }
      case 'gauge': {
        const gauge = new Gauge(config);
        return (labels) => {
          const series = gauge.labels(labels);
          return (value) => series.set(value);
        };
      }
      case 'sample': {
        const summary = new WindowedSummary(name, name, this.#now);
        // The registry needs no more of a metric than what a WindowedSummary has.
        this.#registry.registerMetric(summary as unknown as Gauge);
        return (labels) => summary.series(labels);
      }
    }
  }
}

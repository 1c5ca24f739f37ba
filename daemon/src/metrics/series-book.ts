import type { MetricFilter } from './metric-filter.ts';
import type { MetricKind, MetricSink, Series } from './metric-sink.ts';
import type { Labels, Metrics } from './metrics.ts';

export interface SeriesBookParts {
  readonly sinks: readonly MetricSink[];
  /** `spire_server` or `spire_agent`, unless configured otherwise. */
  readonly prefix: string;
  /** Added to every series. */
  readonly labels: Labels;
  readonly filter: MetricFilter;
}

/**
 * Finds the series of a number and hands the number to every sink.
 *
 * Names and labels are put together once per series; from then on a number costs one look-up for each sink kind.
 */
export class SeriesBook implements Metrics {
  readonly #parts: SeriesBookParts;
  readonly #series = new Map<string, readonly Series[]>();

  constructor(parts: SeriesBookParts) {
    this.#parts = parts;
  }

  counter(key: string, labels?: Labels, n = 1): void {
    this.#put('counter', key, n, labels);
  }

  gauge(key: string, value: number, labels?: Labels): void {
    this.#put('gauge', key, value, labels);
  }

  sample(key: string, value: number, labels?: Labels): void {
    this.#put('sample', key, value, labels);
  }

  timer(key: string, seconds: number, labels?: Labels): void {
    this.#put('sample', key, seconds * 1000, labels);
  }

  #put(kind: MetricKind, key: string, value: number, labels: Labels | undefined): void {
    const name = nameOf(kind, key, labels);
    let series = this.#series.get(name);
    if (series === undefined) {
      series = this.#open(kind, key, labels);
      this.#series.set(name, series);
    }
    for (const take of series) take(value);
  }

  #open(kind: MetricKind, key: string, labels: Labels | undefined): readonly Series[] {
    const { sinks, prefix, filter } = this.#parts;
    const full = `${prefix}.${key}`;
    if (!filter.allowsKey(full)) return [];
    const all = Object.entries({ ...sanitized(labels), ...this.#parts.labels });
    const kept = Object.fromEntries(all.filter(([label]) => filter.allowsLabel(label)));
    return sinks.map((sink) => sink.series(kind, full, kept));
  }
}

const nameOf = (kind: MetricKind, key: string, labels: Labels | undefined): string => {
  let name = `${kind} ${key}`;
  if (labels !== undefined) for (const label in labels) name += `\0${label}\0${labels[label]}`;
  return name;
};

// As SPIRE writes them, so that dashboards made for it find their series.
const sanitized = (labels: Labels = {}): Labels =>
  Object.fromEntries(Object.entries(labels).map(([name, value]) => [sanitize(name), sanitize(value)]));

const sanitize = (text: string): string => text.replaceAll(/[^A-Za-z0-9_]+_?/g, '_');

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

/** The series of one key. */
interface Found {
  plain: readonly Series[] | undefined;
  readonly frozen: WeakMap<Labels, readonly Series[]>;
  readonly named: Map<string, readonly Series[]>;
}

/**
 * Finds the series of a number and hands the number to every sink.
 *
 * Names and labels are put together once per series. From then on a number costs a look-up by its key, and by its labels:
 * as a text, or, if they are a frozen object, as that object.
 */
export class SeriesBook implements Metrics {
  readonly #parts: SeriesBookParts;
  readonly #found: Readonly<Record<MetricKind, Map<string, Found>>> = {
    counter: new Map(),
    gauge: new Map(),
    sample: new Map(),
  };

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
    const found = this.#of(kind, key);
    const known = labels === undefined ? found.plain : found.frozen.get(labels);
    for (const take of known ?? this.#find(found, kind, key, labels)) take(value);
  }

  #of(kind: MetricKind, key: string): Found {
    let found = this.#found[kind].get(key);
    if (found === undefined) {
      found = { plain: undefined, frozen: new WeakMap(), named: new Map() };
      this.#found[kind].set(key, found);
    }
    return found;
  }

  #find(found: Found, kind: MetricKind, key: string, labels: Labels | undefined): readonly Series[] {
    const name = nameOf(labels);
    let series = found.named.get(name);
    if (series === undefined) {
      series = this.#open(kind, key, labels);
      found.named.set(name, series);
    }
    if (labels === undefined) found.plain = series;
    else if (Object.isFrozen(labels)) found.frozen.set(labels, series);
    return series;
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

const nameOf = (labels: Labels | undefined): string => {
  let name = '';
  if (labels !== undefined) for (const label in labels) name += `\0${label}\0${labels[label]}`;
  return name;
};

// As SPIRE writes them, so that dashboards made for it find their series.
const sanitized = (labels: Labels = {}): Labels =>
  Object.fromEntries(Object.entries(labels).map(([name, value]) => [sanitize(name), sanitize(value)]));

const sanitize = (text: string): string => text.replaceAll(/[^A-Za-z0-9_]+_?/g, '_');

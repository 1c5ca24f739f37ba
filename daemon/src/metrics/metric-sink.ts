import type { Labels } from './metrics.ts';

/** What a number does to its series: added to the sum, taken as the present value, or one more observation. */
export type MetricKind = 'counter' | 'gauge' | 'sample';

/** One series of one metric: takes its numbers. */
export type Series = (value: number) => void;

/** Where numbers go. */
export interface MetricSink {
  /** `key` is dotted and has its prefix; labels are final. Asked once per series. */
  series(kind: MetricKind, key: string, labels: Labels): Series;
}

/** Names and values that tell the series of one metric apart. A metric has the same names every time. */
export type Labels = Readonly<Record<string, string>>;

/**
 * Where both processes count what they do. A key is dotted and without prefix: `server_ca.sign.x509_svid`. None of the
 * methods ever throws.
 */
export interface Metrics {
  /** Something happened, once or `n` times. */
  counter(key: string, labels?: Labels, n?: number): void;
  /** How much there is now. */
  gauge(key: string, value: number, labels?: Labels): void;
  /** One of many values whose distribution is of interest. */
  sample(key: string, value: number, labels?: Labels): void;
  /** A sample of elapsed time, in seconds; published in milliseconds. */
  timer(key: string, seconds: number, labels?: Labels): void;
}

/** Counts nothing. */
export const noMetrics: Metrics = Object.freeze({
  counter: () => {},
  gauge: () => {},
  sample: () => {},
  timer: () => {},
});

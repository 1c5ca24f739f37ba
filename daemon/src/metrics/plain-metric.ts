interface Kept {
  readonly labels: Readonly<Record<string, string>>;
  value: number;
}

/**
 * A Prometheus counter or gauge for prom-client's registry. A number costs one addition; prom-client's own look their series
 * up by a text made of all labels, each time.
 */
export class PlainMetric {
  readonly name: string;
  readonly help: string;
  readonly #type: 'counter' | 'gauge';
  readonly #series: Kept[] = [];

  constructor(type: 'counter' | 'gauge', name: string, help: string) {
    this.#type = type;
    this.name = name;
    this.help = help;
  }

  series(labels: Readonly<Record<string, string>>): (value: number) => void {
    const kept: Kept = { labels, value: 0 };
    this.#series.push(kept);
    if (this.#type === 'gauge') return (value) => void (kept.value = value);
    return (value) => {
      // A sum never falls.
      if (value > 0) kept.value += value;
    };
  }

  /** What the registry asks for. */
  async get(): Promise<{ name: string; help: string; type: string; values: readonly Kept[]; aggregator: string }> {
    return { name: this.name, help: this.help, type: this.#type, values: this.#series, aggregator: 'sum' };
  }

  reset(): void {
    this.#series.length = 0;
  }
}

import { formatSelector, type Selector } from '@steeple/core';

/** Selectors may tell secrets; only those whose prefix an operator has named are logged: `k8s:ns` allows `k8s:ns:default`. */
export class LoggableSelectors {
  readonly #prefixes: readonly string[];
  readonly #found = new WeakMap<object, string>();

  constructor(prefixes: readonly string[]) {
    this.#prefixes = prefixes;
  }

  /** Remembers what was found out about the caller of a call. */
  note(call: object, selectors: readonly Selector[]): void {
    if (this.#prefixes.length === 0) return;
    const texts = selectors.map(formatSelector).filter((text) => this.#isLoggable(text));
    if (texts.length > 0) this.#found.set(call, texts.sort().join());
  }

  /** For a log line about the call. */
  fieldsOf(call: object): { readonly selectors?: string } {
    const selectors = this.#found.get(call);
    return selectors === undefined ? {} : { selectors };
  }

  #isLoggable(text: string): boolean {
    return this.#prefixes.some((prefix) => text === prefix || text.startsWith(`${prefix}:`));
  }
}

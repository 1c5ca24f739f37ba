import type { X509Source } from '@steeple/client';
import type { X509Svid, X509SvidSource } from '@steeple/spiffe';

/**
 * One of the identities of this process: the agent may give several, and only the server above knows which of them is that
 * of a server below.
 */
export class ChosenSvid implements X509SvidSource {
  readonly #source: X509Source;
  #id: string | undefined;

  constructor(source: X509Source) {
    this.#source = source;
  }

  x509Svid(): X509Svid {
    const svid = this.#source.x509Svids().find(({ id }) => id.toString() === this.#id);
    return svid ?? this.#source.x509Svid();
  }

  onChange(listener: () => void): () => void {
    return this.#source.onChange(listener);
  }

  /** Takes the next identity that is not among those tried; false if there is none. */
  tryNext(tried: Set<string>): boolean {
    tried.add(this.x509Svid().id.toString());
    const next = this.#source.x509Svids().find(({ id }) => !tried.has(id.toString()));
    if (next === undefined) return false;
    this.#id = next.id.toString();
    return true;
  }
}

import type { X509Svid } from './x509-svid.ts';

/** Where a TLS endpoint gets its own identity, asked anew for every connection so that rotation needs no restart. */
export interface X509SvidSource {
  /** @throws if there is none at the moment */
  x509Svid(): X509Svid;
  /** Calls `listener` after each change until the returned function is called; optional. */
  onChange?(listener: () => void): () => void;
}

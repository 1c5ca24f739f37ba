import type { Certificate } from '../x509/certificate.ts';

/** A root certificate of one trust domain. */
export interface X509Authority {
  readonly certificate: Certificate;
  /** Known to be compromised: still trusted, but identities under it are to be replaced. */
  readonly tainted: boolean;
}

import type { KeyObject } from 'node:crypto';
import { equalBytes } from '../encoding/bytes.ts';
import { SpiffeError } from '../errors.ts';
import type { SpiffeId } from '../id/spiffe-id.ts';
import { privateKeyFromPkcs8 } from '../keys/private-key.ts';
import { spkiOf } from '../keys/spki.ts';
import type { Certificate } from '../x509/certificate.ts';
import { parseCertificates } from '../x509/certificates.ts';
import { requireLeaf } from './leaf-rules.ts';

/**
 * An X509-SVID of our own: certificates and the private key to the first. Its form is right; who signed it and whether it
 * is still valid is for the other side to judge.
 */
export class X509Svid {
  readonly id: SpiffeId;
  /** Leaf first, then intermediates. Never empty. */
  readonly chain: readonly Certificate[];
  readonly leaf: Certificate;
  readonly privateKey: KeyObject;
  /** What the issuer suggests to use it for; empty if nothing. */
  readonly hint: string;

  private constructor(id: SpiffeId, chain: readonly Certificate[], leaf: Certificate, key: KeyObject, hint: string) {
    this.id = id;
    this.chain = chain;
    this.leaf = leaf;
    this.privateKey = key;
    this.hint = hint;
  }

  /**
   * Reads an SVID as the Workload API sends it.
   *
   * @param chainDer certificates behind one another, leaf first
   * @throws SpiffeError `malformed-der`, `unsupported-key` or `invalid-svid`
   */
  static parse(chainDer: Uint8Array, pkcs8: Uint8Array, hint = ''): X509Svid {
    return X509Svid.fromParts(parseCertificates(chainDer), privateKeyFromPkcs8(pkcs8), hint);
  }

  /** @throws SpiffeError `invalid-svid` */
  static fromParts(chain: readonly Certificate[], privateKey: KeyObject, hint = ''): X509Svid {
    const [leaf, ...intermediates] = chain;
    if (leaf === undefined) throw new SpiffeError('invalid-svid', 'X509-SVID without a certificate');
    const id = requireLeaf(leaf);
    intermediates.forEach(requireIntermediate);
    if (!equalBytes(spkiOf(privateKey), leaf.spki)) {
      throw new SpiffeError('invalid-svid', 'private key is not that of the certificate');
    }
    return new X509Svid(id, [...chain], leaf, privateKey, hint);
  }
}

function requireIntermediate({ isCa, keyUsage }: Certificate): void {
  if (!isCa) throw new SpiffeError('invalid-svid', 'intermediate certificate is no CA', { rule: 'X509-14' });
  if (keyUsage?.keyCertSign !== true) {
    throw new SpiffeError('invalid-svid', 'intermediate certificate may not sign certificates', { rule: 'X509-19' });
  }
}

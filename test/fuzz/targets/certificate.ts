import { X509Certificate } from 'node:crypto';
import { parseCertificate, SpiffeError } from '@steeple/spiffe';
import { mutateBytes } from '../mutate-bytes.ts';
import { mutateTree, readTree, writeTree } from '../mutate-der.ts';
import { attempt, Finding, type Target, takes } from '../target.ts';
import { certificateSamples } from './x509-samples.ts';

const WORDS = ['spiffe://a.test/x', 'http://b', '\u0000', '0', '\u0006\u0003U\u001d\u0011', '\u0001\u0001\u00ff'];

/** Against OpenSSL, which reads what we refuse for good reasons, and must agree on all that we accept. */
export const certificate: Target = {
  name: 'X.509 certificate',
  share: 0.08,
  stricter: [
    ['malformed DER', 'OpenSSL reads BER, and looks into names and extensions only when it is asked to'],
    ['unsupported kind of public key', 'OpenSSL keeps a key that it does not know until it is used'],
    ['public key is not valid', 'OpenSSL reads the key when it is used'],
    ['RSA ', 'keys that nobody should trust'],
  ],
  make(random) {
    if (random.once(3)) return mutateBytes(certificateSamples, WORDS, random);
    const tree = readTree(random.pick(certificateSamples));
    for (let rounds = 1 + random.below(3); rounds > 0; rounds--) mutateTree(tree, WORDS, random);
    return writeTree(tree);
  },
  judge(input, random) {
    const read = attempt(() => {
      const parsed = parseCertificate(input);
      // Read only when needed, and OpenSSL reads it at once.
      void parsed.publicKey;
      return parsed;
    }, SpiffeError);
    if ('refusal' in read) {
      const oracle = random.once(50) ? { oracle: takes(() => new X509Certificate(input)) } : {};
      return { accepted: false, refusal: read.refusal, ...oracle };
    }
    const ours = read.value;
    if (!takes(() => new X509Certificate(input))) return { accepted: true, oracle: false };
    const theirs = new X509Certificate(input);
    const serial = (text: string): bigint => BigInt(`0x${text}`);
    if (serial(ours.serialHex) !== serial(theirs.serialNumber)) throw new Finding('another serial number');
    if (ours.notBefore !== theirs.validFromDate.getTime() / 1000) throw new Finding('another notBefore');
    if (ours.notAfter !== theirs.validToDate.getTime() / 1000) throw new Finding('another notAfter');
    const isCa = ours.isCa && ours.keyUsage?.keyCertSign !== false;
    // Not the other way round: OpenSSL denies it for a malformed extension that we have no use for, too.
    if (theirs.ca && !isCa) throw new Finding('a CA for OpenSSL only');
    const uris = (theirs.subjectAltName ?? '').split(', ').filter((name) => name.startsWith('URI:'));
    // OpenSSL quotes names with special characters; only the plain ones can be compared as text.
    if (
      ours.uriSans.every((uri) => /^[\w:/.-]+$/.test(uri)) &&
      uris.join() !== ours.uriSans.map((u) => `URI:${u}`).join()
    ) {
      throw new Finding(`other URI names: ${ours.uriSans.join()} and ${uris.join()}`);
    }
    return { accepted: true, oracle: true };
  },
};

import { sign } from 'node:crypto';
import { type Csr, readCsr, SpiffeError } from '@steeple/spiffe';
import { x509Library } from '../../../spiffe/src/x509/library.ts';
import { mutateBytes } from '../mutate-bytes.ts';
import { type DerNode, mutateTree, readTree, writeTree } from '../mutate-der.ts';
import { attempt, Finding, type Target, type Verdict } from '../target.ts';
import { requestKey, requestSamples } from './x509-samples.ts';

const WORDS = ['spiffe://a.test/x', 'x.test', '\u0000', '0', '\u0006\u0003U\u001d\u0011'];
const library = await x509Library();

/** Signs the changed request with its own key again, so that reading does not end at the signature. */
function signAgain(tree: DerNode[]): void {
  const parts = tree[0]?.content;
  const [signedPart, , signature] = Array.isArray(parts) ? parts : [];
  if (signedPart === undefined || signature === undefined) return;
  signature.content = Buffer.concat([Buffer.of(0), sign('sha256', writeTree([signedPart]), requestKey)]);
}

async function oracleTakes(input: Uint8Array, ours: Csr | undefined): Promise<boolean> {
  try {
    const request = new library.Pkcs10CertificateRequest(Uint8Array.from(input));
    if (!(await request.verify())) return false;
    if (ours === undefined) return true;
    const names = request.extensions
      .filter((extension) => extension instanceof library.SubjectAlternativeNameExtension)
      .flatMap((extension) => extension.names.items);
    const uris = names.filter(({ type }) => type === 'url').map(({ value }) => value);
    if (uris.join('\n') !== ours.uriSans.join('\n')) throw new Finding('other URI names');
    if (!Buffer.from(request.publicKey.rawData).equals(ours.spki)) throw new Finding('another key');
    return true;
  } catch (error) {
    if (error instanceof Finding) throw error;
    return false;
  }
}

/** Against @peculiar/x509. */
export const csr: Target = {
  name: 'PKCS#10 request',
  share: 0.05,
  stricter: [
    ['malformed DER', 'the oracle reads BER, and looks into names and extensions only when it is asked to'],
    ['signature of the request', 'parameters behind an algorithm that has none'],
    ['unsupported kind of public key', 'parameters behind an algorithm that has none'],
    ['public key is not valid DER', 'BER, not DER'],
    ['public key is not valid', 'a point that is not on the curve'],
  ],
  make(random) {
    if (random.once(4)) return mutateBytes(requestSamples, WORDS, random);
    const tree = readTree(random.pick(requestSamples));
    for (let rounds = 1 + random.below(2); rounds > 0; rounds--) mutateTree(tree, WORDS, random);
    if (!random.once(4)) signAgain(tree);
    return writeTree(tree);
  },
  judge(input, random): Verdict | Promise<Verdict> {
    const read = attempt(() => readCsr(input), SpiffeError);
    const accepted = 'value' in read;
    const verdict: Verdict = { accepted, ...('refusal' in read && { refusal: read.refusal }) };
    // The oracle takes a hundred times as long as our reader.
    if (!random.once(accepted ? 10 : 100)) return verdict;
    return oracleTakes(input, accepted ? read.value : undefined).then((oracle) => ({ ...verdict, oracle }));
  },
};

import { RevocationList, SpiffeError } from '@steeple/spiffe';
import { extension, forgeCa } from '../../../spiffe/src/testing/forge-certificate.ts';
import { forgeCrl } from '../../../spiffe/src/testing/forge-crl.ts';
import { x509Library } from '../../../spiffe/src/x509/library.ts';
import { mutateBytes } from '../mutate-bytes.ts';
import { mutateTree, readTree, writeTree } from '../mutate-der.ts';
import { attempt, Finding, type Target } from '../target.ts';

const WORDS = ['\u0000', '0', '\u0006\u0003U\u001d\u001c', '\u0002\u0001\u0001'];
const by = forgeCa('root', { uris: ['spiffe://a.test'] });
const samples = [
  { by },
  { by, serials: ['01', '7fffffffffffffff'], keyId: '0102', nextUpdate: undefined },
  {
    by,
    serials: ['11'],
    extensions: [extension('2.5.29.28', true, Uint8Array.of(0x30, 3, 0x81, 1, 0xff))],
    entryExtensions: [extension('2.5.29.21', false, Uint8Array.of(10, 1, 1))],
  },
].map(forgeCrl);
const library = await x509Library();

/** Serial numbers by the oracle; undefined if it does not take the list. */
function oracleSerials(input: Uint8Array): string[] | undefined {
  try {
    return new library.X509Crl(Uint8Array.from(input)).entries.map(({ serialNumber }) => serialNumber);
  } catch {
    return undefined;
  }
}

/** Against @peculiar/x509. A list that we read otherwise than others would revoke too little. */
export const revocationList: Target = {
  name: 'revocation list',
  share: 0.03,
  stricter: [
    ['malformed DER', 'the oracle reads BER, and looks into names and extensions only when it is asked to'],
    ['critical extension', 'what is not understood is not relied on'],
    ['an indirect revocation list', 'not supported'],
  ],
  make(random) {
    if (random.once(4)) return mutateBytes(samples, WORDS, random);
    const tree = readTree(random.pick(samples));
    for (let rounds = 1 + random.below(2); rounds > 0; rounds--) mutateTree(tree, WORDS, random);
    return writeTree(tree);
  },
  judge(input, random) {
    const read = attempt(() => RevocationList.parse(input), SpiffeError);
    const accepted = 'value' in read;
    const verdict = { accepted, ...('refusal' in read && { refusal: read.refusal }) };
    if (!random.once(accepted ? 10 : 100)) return verdict;
    const serials = oracleSerials(input);
    // The oracle loses all entries of a list without a next update; OpenSSL does not.
    const isComparable = accepted && serials !== undefined && read.value.nextUpdate !== undefined;
    if (isComparable && new Set(serials).size !== read.value.size) {
      throw new Finding(`${read.value.size} serial numbers, the oracle has ${new Set(serials).size}`);
    }
    return { ...verdict, oracle: serials !== undefined };
  },
};

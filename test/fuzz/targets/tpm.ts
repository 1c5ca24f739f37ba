import { readFileSync } from 'node:fs';
import { readCertification } from '../../../plugins/src/node-attestor/tpm-devid/tpm/attestation.ts';
import { TpmFormatError } from '../../../plugins/src/node-attestor/tpm-devid/tpm/bytes.ts';
import { readPublicArea } from '../../../plugins/src/node-attestor/tpm-devid/tpm/public-area.ts';
import { readSignature } from '../../../plugins/src/node-attestor/tpm-devid/tpm/signature.ts';
import { mutateBytes } from '../mutate-bytes.ts';
import { attempt, Finding, type Target } from '../target.ts';

const runs = new URL('../../../plugins/src/node-attestor/tpm-devid/testing/swtpm-runs.json', import.meta.url);
const { rsa, ecc } = JSON.parse(readFileSync(runs, 'utf8')) as Record<string, { payload: Record<string, string> }>;
const PARTS = ['EKPub', 'AKPub', 'DevIDPub', 'CertifiedDevID', 'CertificationSignature'];
const samples = [rsa, ecc].flatMap((run) => PARTS.map((part) => Buffer.from(run?.payload[part] ?? '', 'base64')));
const WORDS = ['\u0000\u0010', '\u0000\u000b', '\u0000\u0006', '\u0001\u0000'];

/** Structures that an agent sends of its TPM. A key that was read is the one that stands there. */
export const tpm: Target = {
  name: 'TPM structure',
  share: 0.02,
  stricter: [],
  make: (random) => mutateBytes(samples, WORDS, random),
  judge(input) {
    const area = attempt(() => readPublicArea(input), TpmFormatError);
    if ('value' in area) {
      const { n, y } = area.value.key.export({ format: 'jwk' });
      // Both stand at the end, the one whole, the other perhaps without leading zeros.
      const last = BigInt(`0x${Buffer.from(n ?? y ?? '', 'base64url').toString('hex')}`);
      const tail = Buffer.from(input).toString('hex');
      if (!tail.endsWith(last.toString(16))) throw new Finding('the key is not the one in the public area');
    }
    const others = [() => readSignature(input), () => readCertification(input)];
    const read = [area, ...others.map((each) => attempt<unknown>(each, TpmFormatError))];
    if (read.some((each) => 'value' in each)) return { accepted: true };
    return { accepted: false, refusal: 'refusal' in area ? area.refusal : '' };
  },
};

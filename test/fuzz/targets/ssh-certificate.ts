import { readCertificate } from '../../../plugins/src/node-attestor/sshpop/certificate.ts';
import { signatureHolds } from '../../../plugins/src/node-attestor/sshpop/signature.ts';
import { SshFormatError } from '../../../plugins/src/node-attestor/sshpop/ssh-reader.ts';
import { blobOf } from '../../../plugins/src/node-attestor/sshpop/testing/vectors.ts';
import { mutateBytes } from '../mutate-bytes.ts';
import { attempt, Finding, type Target } from '../target.ts';

const WORDS = [
  '\u0000\u0000\u0000\u0000',
  '\u0000\u0000\u0000\u0001a',
  'ssh-rsa',
  'ssh-ed25519',
  'nistp256',
  '\u0000\u0080',
];
const samples = [
  'ed25519',
  'ecdsa256',
  'ecdsa521',
  'rsa',
  'by_ecdsa',
  'by_rsa256',
  'by_rsa512',
  'critical',
  'extension',
].map((name) => blobOf(`${name}-cert.pub`));
const signed = new Set(samples.map((blob) => Buffer.from(readCertificate(blob).signedPart).toString('base64')));

/** What ssh-keygen signed is all that may ever count as signed, whatever was done to it. */
export const sshCertificate: Target = {
  name: 'SSH certificate',
  share: 0.04,
  stricter: [],
  make: (random) => mutateBytes(samples, WORDS, random),
  judge(input) {
    const read = attempt(() => readCertificate(input), SshFormatError);
    if ('refusal' in read) return { accepted: false, refusal: read.refusal };
    const { authority, signedPart, signature } = read.value;
    const holds = attempt(() => signatureHolds(authority, signedPart, signature), SshFormatError);
    if ('value' in holds && holds.value && !signed.has(Buffer.from(signedPart).toString('base64'))) {
      throw new Finding('a signature holds over what nobody signed');
    }
    return { accepted: true };
  },
};

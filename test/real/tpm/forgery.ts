// The strongest lie: a statement that looks like the TPM's, signed in that TPM by a key that signs whatever it is given.
import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { solve } from '../../../plugins/src/node-attestor/tpm-devid/evidence.ts';
import {
  certificationOf,
  softwareKey,
  withAttributes,
} from '../../../plugins/src/node-attestor/tpm-devid/testing/software-keys.ts';
import { DEVID_KEY } from '../../../plugins/src/node-attestor/tpm-devid/testing/test-node.ts';
import { ALG, ATTRIBUTE } from '../../../plugins/src/node-attestor/tpm-devid/tpm/algorithms.ts';
import { ATTESTATION_KEY, STORAGE_ROOT_KEY } from '../../../plugins/src/node-attestor/tpm-devid/tpm/templates.ts';
import { OWNER, type Tpm } from '../../../plugins/src/node-attestor/tpm-devid/tpm/tpm.ts';
import type { Machines } from './machines.ts';
import { converse, NO_PASSWORDS, type Prepared } from './proof.ts';

const SCHEME = { algorithm: ALG.rsassa, hash: ALG.sha256 };

/** A DevID whose key lies in a file and is said to lie in the TPM. */
export async function forge({ tpm, devId, authority }: Machines): Promise<Prepared> {
  const honest = await converse(tpm, devId);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const outside = softwareKey(privateKey, DEVID_KEY.ecc);
  const statement = certificationOf(outside.area.name);
  const free = await freeKey(honest.at, statement);
  const evidence = {
    ...honest.evidence,
    devIdCertificates: [authority.certify(createPublicKey(privateKey), 'thief')],
    devIdPublic: outside.area.raw,
    attestationPublic: free.publicArea,
    certification: statement,
    certificationSignature: free.signature,
  };
  const keys = { ...honest.keys, attestation: free.saved };
  const answer: Prepared['answer'] = async (challenge) => ({
    ...(await solve(honest.at, keys, challenge, honest.devId, NO_PASSWORDS)),
    signature: sign('sha256', challenge.nonce, privateKey),
  });
  return { evidence, answer, sign: async (nonce) => sign('sha256', nonce, privateKey) };
}

/** A key like an attestation key, but not restricted, and its signature over the statement. */
async function freeKey(at: Tpm, statement: Uint8Array) {
  const template = withAttributes(ATTESTATION_KEY, (all) => all & ~ATTRIBUTE.restricted);
  await using parent = await at.createPrimary(OWNER, NO_PASSWORDS.owner, STORAGE_ROOT_KEY.rsa);
  const blobs = await at.create(parent, template);
  await using key = await at.load(parent, blobs);
  const signature = await at.sign(key, new Uint8Array(), SCHEME, statement);
  return { publicArea: blobs.publicArea, signature, saved: await at.saveContext(key) };
}

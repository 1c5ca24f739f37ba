// What a liar with real TPMs tries. Each is told to a server with a conversation that is honest in all other points.
import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import type { Response } from '../../../plugins/src/node-attestor/tpm-devid/messages.ts';
import { expectOutcome } from '../../interop/spire/outcome.ts';
import { attest, remoteApi } from '../../interop/spire/remote.ts';
import type { ServerUnit } from '../../interop/spire/server-unit.ts';
import type { Site } from '../../interop/spire/site.ts';
import { forge } from './forgery.ts';
import type { Machines } from './machines.ts';
import { type Lies, type Prepared, prepare, proofOf } from './proof.ts';

/** One lie, and what servers say to it: ours, and SPIRE's where that differs in more than words. */
interface Lie {
  readonly name: string;
  /** By default what the machine's agent would say. */
  readonly prepare?: (machines: Machines) => Promise<Prepared>;
  readonly tell?: (machines: Machines) => Promise<Lies>;
  readonly ours: RegExp;
  readonly spire: RegExp;
}

type Answer = NonNullable<Lies['response']>;

const INVALID = /^InvalidArgument: /;
/** SPIRE 1.15.3 believes it. */
const BELIEVED = /^OK$/;

export const lies: readonly Lie[] = [
  {
    name: 'the endorsement of the TPM next door',
    tell: async ({ neighbour, authority }) => {
      const next = await prepare(neighbour, await authority.provision(neighbour));
      const { endorsementCertificate, endorsementPublic } = next.evidence;
      return {
        evidence: (honest) => ({ ...honest, endorsementCertificate, endorsementPublic }),
        response: guess,
      };
    },
    ours: /^PermissionDenied: .*credential activation failed/,
    spire: INVALID,
  },
  {
    name: 'an endorsement certificate of the TPM next door',
    tell: async ({ neighbour, authority }) => {
      const next = await prepare(neighbour, await authority.provision(neighbour));
      const { endorsementCertificate } = next.evidence;
      return { evidence: (honest) => ({ ...honest, endorsementCertificate }) };
    },
    ours: /^PermissionDenied: .*the endorsement certificate is for another key/,
    spire: INVALID,
  },
  {
    name: 'a DevID whose key lies in a file, and the TPM certifies another',
    tell: async ({ authority }) => {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const certificate = authority.certify(createPublicKey(privateKey), 'thief');
      return {
        evidence: (honest) => ({ ...honest, devIdCertificates: [certificate] }),
        response: async (honest, challenge) => ({
          ...(await honest.answer(challenge)),
          signature: sign('sha256', challenge.nonce, privateKey),
        }),
      };
    },
    ours: /^PermissionDenied: .*the DevID certificate is for another key/,
    spire: BELIEVED,
  },
  {
    name: 'a DevID whose key lies in a file, and a key of the TPM that signs anything says otherwise',
    prepare: forge,
    ours: /^PermissionDenied: .*the attestation key is not of the kind "restricted"/,
    spire: BELIEVED,
  },
  {
    name: 'a key that may leave its TPM',
    prepare: async ({ tpm, authority }) => {
      const attributes = 'sensitivedataorigin|userwithauth|sign';
      return prepare(tpm, await authority.provision(tpm, { attributes }));
    },
    ours: /^PermissionDenied: .*the DevID key was not made by a TPM that keeps it/,
    spire: BELIEVED,
  },
  {
    name: 'an altered statement of the TPM',
    tell: async () => ({ evidence: (honest) => ({ ...honest, certification: flip(honest.certification, 30) }) }),
    ours: /^PermissionDenied: .*the certification is not signed by the attestation key/,
    spire: INVALID,
  },
  {
    name: 'an altered attestation key',
    // Another attribute, and with it another name: the TPM does not reveal the secret.
    tell: async () => ({
      evidence: (honest) => ({ ...honest, attestationPublic: flip(honest.attestationPublic, 6, 0x04) }),
      response: guess,
    }),
    ours: /^PermissionDenied: .*credential activation failed/,
    spire: INVALID,
  },
  {
    name: 'evidence without an endorsement certificate',
    tell: async () => ({ evidence: (honest) => ({ ...honest, endorsementCertificate: new Uint8Array() }) }),
    ours: /^InvalidArgument: .*missing endorsement certificate/,
    spire: /^InvalidArgument: .*missing endorsement certificate/,
  },
  {
    name: 'a secret that was not revealed',
    tell: async () => ({ response: guess }),
    ours: /^PermissionDenied: .*credential activation failed/,
    spire: INVALID,
  },
  {
    name: 'a signature over another nonce',
    tell: async () => ({ response: (honest, challenge) => honest.answer({ ...challenge, nonce: new Uint8Array(32) }) }),
    ours: /^PermissionDenied: .*nonce is not signed with the DevID key/,
    spire: INVALID,
  },
];

/** Tells one lie to a server. */
export async function tell(site: Site, server: ServerUnit, machines: Machines, lie: Lie): Promise<void> {
  const stranger = await remoteApi(site, server);
  const prepared = await (lie.prepare?.(machines) ?? prepare(machines.tpm, machines.devId));
  const proof = proofOf(prepared, await lie.tell?.(machines));
  await expectOutcome(lie.name, attest(stranger, proof), server.maker === 'steeple' ? lie.ours : lie.spire);
}

/** Says in a second conversation what was right in the first. */
export async function replay(site: Site, server: ServerUnit, { tpm, devId }: Machines): Promise<void> {
  const stranger = await remoteApi(site, server);
  const first = await prepare(tpm, devId);
  const said: Response[] = [];
  const remember: Answer = async (honest, challenge) => {
    const response = await honest.answer(challenge);
    said.push(response);
    return response;
  };
  await attest(stranger, proofOf(first, { response: remember }));
  const again: Answer = async () => said[0] ?? Promise.reject(new Error('nothing was said'));
  const outcome = /^(PermissionDenied|InvalidArgument): /;
  await expectOutcome('the same words again', attest(stranger, proofOf(first, { response: again })), outcome);
}

/** A secret that the TPM did not reveal. */
const guess: Answer = async (honest, { nonce }) => ({
  signature: await honest.sign(nonce),
  secret: new Uint8Array(32),
});

function flip(bytes: Uint8Array, at: number, bits = 1): Uint8Array {
  const altered = Buffer.from(bytes);
  altered.writeUInt8(altered.readUInt8(at) ^ bits, at);
  return altered;
}

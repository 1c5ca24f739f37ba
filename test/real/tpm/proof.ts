// What an agent would say to a server, with the TPM's honest answers, and the places where a liar would say something else.
import { randomBytes } from 'node:crypto';
import { type DevId, readDevId } from '../../../plugins/src/node-attestor/tpm-devid/devid.ts';
import { gatherEvidence, type SavedKeys, solve } from '../../../plugins/src/node-attestor/tpm-devid/evidence.ts';
import {
  type Challenge,
  type Evidence,
  formatEvidence,
  formatResponse,
  parseChallenge,
  type Response,
} from '../../../plugins/src/node-attestor/tpm-devid/messages.ts';
import { makeCredential } from '../../../plugins/src/node-attestor/tpm-devid/tpm/make-credential.ts';
import { readPublicArea } from '../../../plugins/src/node-attestor/tpm-devid/tpm/public-area.ts';
import { Tpm } from '../../../plugins/src/node-attestor/tpm-devid/tpm/tpm.ts';
import { openTransport } from '../../../plugins/src/node-attestor/tpm-devid/tpm/transport.ts';
import type { Proof } from '../../interop/spire/remote.ts';
import type { ProvisionedDevId } from './device-id.ts';
import type { Swtpm } from './swtpm.ts';

export const NO_PASSWORDS = { owner: new Uint8Array(), endorsement: new Uint8Array(), devId: new Uint8Array() };

/** A conversation as it is prepared: the evidence is gathered, the answers will come from the TPM. */
export interface Prepared {
  readonly evidence: Evidence;
  readonly answer: (challenge: Challenge) => Promise<Response>;
  /** Signs without being able to reveal the secret. */
  readonly sign: (nonce: Uint8Array) => Promise<Uint8Array>;
}

/** What a liar says instead. */
export interface Lies {
  readonly evidence?: (honest: Evidence) => Evidence;
  readonly response?: (honest: Prepared, challenge: Challenge) => Promise<Response>;
}

/** An agent's first half: what it has gathered, and with what. */
interface Conversation {
  readonly at: Tpm;
  readonly devId: DevId;
  readonly evidence: Evidence;
  readonly keys: SavedKeys;
}

export async function converse(tpm: Swtpm, files: ProvisionedDevId): Promise<Conversation> {
  const devId = await readDevId(files);
  const onLeak = (error: unknown) => {
    throw error;
  };
  const { signal } = new AbortController();
  const at = new Tpm({ transport: await openTransport(tpm.device), signal, onLeak });
  return { at, devId, ...(await gatherEvidence(at, devId, NO_PASSWORDS)) };
}

export async function prepare(tpm: Swtpm, files: ProvisionedDevId): Promise<Prepared> {
  const { at, devId, evidence, keys } = await converse(tpm, files);
  const answer = (challenge: Challenge) => solve(at, keys, challenge, devId, NO_PASSWORDS);
  const sign = async (nonce: Uint8Array) => {
    const name = readPublicArea(evidence.attestationPublic).name;
    const endorsementKey = readPublicArea(evidence.endorsementPublic);
    const { blob, encryptedSeed } = makeCredential(endorsementKey, name, new Uint8Array(32), randomBytes);
    return (await answer({ nonce, credential: blob, encryptedSeed })).signature;
  };
  return { evidence, answer, sign };
}

export function proofOf(prepared: Prepared, lies: Lies = {}): Proof {
  const { evidence, answer } = prepared;
  return {
    type: 'tpm_devid',
    payload: Buffer.from(formatEvidence(lies.evidence?.(evidence) ?? evidence)),
    answer: async (data) => {
      const challenge = parseChallenge(data);
      const response = await (lies.response?.(prepared, challenge) ?? answer(challenge));
      return Buffer.from(formatResponse(response));
    },
  };
}

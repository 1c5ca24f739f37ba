import { type KeyObject, sign } from 'node:crypto';
import { ChannelPair } from '../../channel-for-tests.ts';
import type { VerifiedNode } from '../../node-attestor.ts';
import { type Challenge, type Evidence, formatEvidence, formatResponse, parseChallenge } from '../messages.ts';
import { ATTESTATION_KEY, ENDORSEMENT_KEY } from '../tpm/templates.ts';
import { FakeTpm } from './fake-tpm.ts';
import { activate, certificationOf, type SoftwareKey, tpmSignature } from './software-keys.ts';
import { certifyDevId, DEVID_KEY, endorse, verifierOf } from './test-node.ts';

/** Everything an agent could have, honestly or not. */
export interface Agent {
  readonly evidence: Evidence;
  readonly devIdKey: KeyObject;
  readonly endorsement: SoftwareKey;
  readonly attestation: SoftwareKey;
}

export const tpm = new FakeTpm();
export const otherTpm = new FakeTpm();

export function agentOf(
  keys: { devId?: SoftwareKey; endorsement?: SoftwareKey; attestation?: SoftwareKey } = {},
): Agent {
  const devId = keys.devId ?? tpm.key(DEVID_KEY.ecc);
  const endorsement = keys.endorsement ?? tpm.key(ENDORSEMENT_KEY.rsa);
  const attestation = keys.attestation ?? tpm.key(ATTESTATION_KEY);
  const certification = certificationOf(devId.area.name);
  const evidence = {
    devIdCertificates: [certifyDevId(devId)],
    devIdPublic: devId.area.raw,
    endorsementCertificate: endorse(endorsement),
    endorsementPublic: endorsement.area.raw,
    attestationPublic: attestation.area.raw,
    certification,
    certificationSignature: tpmSignature(attestation, certification),
  };
  return { evidence, devIdKey: devId.privateKey, endorsement, attestation };
}

export type Answer = (challenge: Challenge, agent: Agent) => { signature: Uint8Array; secret: Uint8Array };

export const honest: Answer = ({ nonce, credential, encryptedSeed }, { devIdKey, endorsement, attestation }) => ({
  signature: sign('sha256', nonce, devIdKey),
  secret: activate(endorsement, attestation.area.name, credential, encryptedSeed) ?? new Uint8Array(32),
});

export async function attestAs(agent: Agent, answer: Answer = honest, verifier = verifierOf()): Promise<VerifiedNode> {
  const pair = new ChannelPair();
  const { signal } = new AbortController();
  const verifying = verifier.verify(formatEvidence(agent.evidence), pair.server, signal);
  const asking = Promise.race([pair.agent.receive(), verifying]);
  const challenge = await asking;
  if (!(challenge instanceof Uint8Array)) return challenge;
  await pair.agent.send(formatResponse(answer(parseChallenge(challenge), agent)));
  return await verifying;
}

export function withEvidence(agent: Agent, more: Partial<Evidence>): Agent {
  return { ...agent, evidence: { ...agent.evidence, ...more } };
}

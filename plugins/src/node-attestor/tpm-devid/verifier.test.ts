import { generateKeyPairSync, sign } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Answer, agentOf, attestAs, honest, otherTpm, tpm, withEvidence } from './testing/scripted-agent.ts';
import { activate, certificationOf, softwareKey, tpmSignature, withAttributes } from './testing/software-keys.ts';
import { authority, certifyDevId, DEVID_KEY, devIdCa, endorse, NOW } from './testing/test-node.ts';
import { ALG, ATTRIBUTE } from './tpm/algorithms.ts';
import { ATTESTATION_KEY, ENDORSEMENT_KEY } from './tpm/templates.ts';

const refused = (reason: string) => ({ code: 'permission-denied', message: expect.stringContaining(reason) });
const malformed = (reason: string) => ({ code: 'invalid-argument', message: expect.stringContaining(reason) });
const without = (template: Uint8Array, attribute: number) => withAttributes(template, (all) => all & ~attribute);
beforeAll(async () => {
  expect((await attestAs(agentOf())).canReattest).toBe(true);
});

describe('a server refuses a DevID', () => {
  it('of a stranger, expired, of the future, or not for signatures', async () => {
    const stranger = authority('devid-ca');
    const devId = tpm.key(DEVID_KEY.ecc);
    const cases: [string, Uint8Array][] = [
      ['signature does not hold', certifyDevId(devId, { issuer: stranger })],
      ['expired', certifyDevId(devId, { notAfter: NOW - 1 })],
      ['not yet valid', certifyDevId(devId, { notBefore: NOW + 1 })],
      ['not meant for signatures', certifyDevId(devId, { keyUsage: ['keyEncipherment'] })],
      [
        'unknown critical extension',
        certifyDevId(devId, { extensions: [{ oid: '1.2.3', critical: true, value: Uint8Array.of(5, 0) }] }),
      ],
    ];
    for (const [reason, certificate] of cases) {
      await expect(
        attestAs(withEvidence(agentOf(), { devIdCertificates: [certificate] })),
        reason,
      ).rejects.toMatchObject(refused(reason));
    }
  });

  it('whose key lies in a file, beside a key that lies in the TPM', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const outside = softwareKey(privateKey, DEVID_KEY.ecc);
    const agent = withEvidence(agentOf(), { devIdCertificates: [certifyDevId(outside)] });
    const thief = attestAs({ ...agent, devIdKey: privateKey });
    await expect(thief).rejects.toMatchObject(refused('the DevID certificate is for another key'));
  });

  it('whose key was made elsewhere or may leave the TPM', async () => {
    for (const attribute of [ATTRIBUTE.fixedTpm, ATTRIBUTE.sensitiveDataOrigin]) {
      const movable = agentOf({ devId: tpm.key(without(DEVID_KEY.ecc, attribute)) });
      await expect(attestAs(movable)).rejects.toMatchObject(
        refused('the DevID key was not made by a TPM that keeps it'),
      );
    }
  });

  it('without a proof of possession', async () => {
    const thief: Answer = (challenge, agent) => ({
      ...honest(challenge, agent),
      signature: sign('sha256', challenge.nonce, generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey),
    });
    await expect(attestAs(agentOf(), thief)).rejects.toMatchObject(refused('nonce is not signed with the DevID key'));
    const replay: Answer = (challenge, agent) => honest({ ...challenge, nonce: new Uint8Array(32) }, agent);
    await expect(attestAs(agentOf(), replay)).rejects.toMatchObject(refused('nonce is not signed with the DevID key'));
  });
});

describe('a server refuses a certification', () => {
  it('by a key that signs whatever it is given', async () => {
    const free = agentOf({ attestation: tpm.key(without(ATTESTATION_KEY, ATTRIBUTE.restricted)) });
    await expect(attestAs(free)).rejects.toMatchObject(refused('the attestation key is not of the kind "restricted"'));
    const imported = agentOf({ attestation: tpm.key(without(ATTESTATION_KEY, ATTRIBUTE.sensitiveDataOrigin)) });
    await expect(attestAs(imported)).rejects.toMatchObject(refused('the attestation key was not made by a TPM'));
  });

  it('about another key', async () => {
    const { attestation, ...agent } = agentOf();
    const certification = certificationOf(tpm.key(DEVID_KEY.rsa).area.name);
    const certificationSignature = tpmSignature(attestation, certification);
    const other = withEvidence({ ...agent, attestation }, { certification, certificationSignature });
    await expect(attestAs(other)).rejects.toMatchObject(refused('the certification is about another key'));
  });

  it('that no TPM generated, or that is a quote', async () => {
    const agent = agentOf();
    const { name } = tpm.key(DEVID_KEY.ecc).area;
    for (const certification of [certificationOf(name, 0x00544347), certificationOf(name, undefined, 0x8018)]) {
      const certificationSignature = tpmSignature(agent.attestation, certification);
      const forged = withEvidence(agent, { certification, certificationSignature });
      await expect(attestAs(forged)).rejects.toMatchObject(malformed('the attestation'));
    }
  });

  it('that was altered, or signed by another key or in another way', async () => {
    const agent = agentOf();
    const altered = Buffer.from(agent.evidence.certification);
    altered.writeUInt8(altered.readUInt8(20) ^ 1, 20);
    const notSigned = refused('not signed by the attestation key');
    await expect(attestAs(withEvidence(agent, { certification: altered }))).rejects.toMatchObject(notSigned);
    const { certification } = agent.evidence;
    const foreign = tpmSignature(otherTpm.key(ATTESTATION_KEY), certification);
    await expect(attestAs(withEvidence(agent, { certificationSignature: foreign }))).rejects.toMatchObject(notSigned);
    const ecdsa = tpmSignature(otherTpm.key(DEVID_KEY.ecc), certification);
    const otherScheme = attestAs(withEvidence(agent, { certificationSignature: ecdsa }));
    await expect(otherScheme).rejects.toMatchObject(refused('not signed as the attestation key signs'));
  });
});

describe('a server refuses a TPM', () => {
  it('that no known vendor endorsed, or for another purpose', async () => {
    const key = tpm.key(ENDORSEMENT_KEY.rsa);
    const strange = authority('vendor');
    const cases: [string, Uint8Array][] = [
      ['signature does not hold', endorse(key, { issuer: strange })],
      ['no path', endorse(key, { issuer: devIdCa })],
      ['expired', endorse(key, { notAfter: NOW - 1 })],
      ['another purpose', endorse(key, { extKeyUsage: ['2.23.133.8.3'] })],
    ];
    for (const [reason, endorsementCertificate] of cases) {
      const agent = withEvidence(agentOf(), { endorsementCertificate });
      await expect(attestAs(agent), reason).rejects.toMatchObject(
        refused(`endorsement certificate is not trusted: ${reason === 'another purpose' ? 'it was issued for ' : ''}`),
      );
      await expect(attestAs(agent), reason).rejects.toMatchObject(refused(reason));
    }
  });

  it('that is not the one with the attestation key, whatever it answers', async () => {
    // Honest in all but one point: endorsement key and certificate come from a TPM next door, which does not help.
    const agent = agentOf({ endorsement: otherTpm.key(ENDORSEMENT_KEY.rsa) });
    const guesses: Answer[] = [
      (challenge, all) => ({ ...honest(challenge, all), secret: new Uint8Array(32) }),
      (challenge, all) => ({ ...honest(challenge, all), secret: Uint8Array.of(1) }),
    ];
    for (const guess of guesses) {
      await expect(attestAs(agent, guess)).rejects.toMatchObject(refused('credential activation failed'));
    }
    // The TPM next door reveals the secret only for a key of its own.
    const relay: Answer = (challenge, all) => {
      const name = otherTpm.key(ATTESTATION_KEY).area.name;
      const secret = activate(all.endorsement, name, challenge.credential, challenge.encryptedSeed);
      expect(secret).toBeUndefined();
      return { ...honest(challenge, all), secret: new Uint8Array(32) };
    };
    await expect(attestAs(agent, relay)).rejects.toMatchObject(refused('credential activation failed'));
  });

  it('whose endorsement certificate is for another key, or whose key signs', async () => {
    const certificate = endorse(otherTpm.key(ENDORSEMENT_KEY.rsa));
    const other = withEvidence(agentOf(), { endorsementCertificate: certificate });
    await expect(attestAs(other)).rejects.toMatchObject(refused('the endorsement certificate is for another key'));
    const signing = agentOf({ endorsement: tpm.key(ATTESTATION_KEY) });
    await expect(attestAs(signing)).rejects.toMatchObject(refused('the endorsement key is not of the kind "decrypt"'));
  });

  it('with an old answer', async () => {
    let old: { signature: Uint8Array; secret: Uint8Array } | undefined;
    const remember: Answer = (challenge, agent) => {
      old = honest(challenge, agent);
      return old;
    };
    await attestAs(agentOf(), remember);
    const replayed: Answer = (challenge, agent) => ({
      ...honest(challenge, agent),
      secret: old?.secret ?? new Uint8Array(),
    });
    await expect(attestAs(agentOf(), replayed)).rejects.toMatchObject(refused('credential activation failed'));
  });
});

describe('a server takes', () => {
  it.each(['rsapss', 'ecdsa'] as const)('attestation keys that sign by %s', async (scheme) => {
    const template = Buffer.from(scheme === 'ecdsa' ? DEVID_KEY.ecc : ATTESTATION_KEY);
    if (scheme === 'rsapss') template.writeUInt16BE(ALG.rsapss, 12);
    const restricted = withAttributes(template, (all) => all | ATTRIBUTE.restricted);
    expect((await attestAs(agentOf({ attestation: tpm.key(restricted) }))).canReattest).toBe(true);
  });
});

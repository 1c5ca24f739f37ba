import { describe, expect, it } from 'vitest';
import { ChannelPair } from '../channel-for-tests.ts';
import { type Evidence, formatEvidence } from './messages.ts';
import { agentOf, attestAs, tpm, withEvidence } from './testing/scripted-agent.ts';
import { devIdCa, verifierOf } from './testing/test-node.ts';
import { u16 } from './tpm/bytes.ts';
import { ATTESTATION_KEY } from './tpm/templates.ts';

const malformed = (reason: string) => ({ code: 'invalid-argument', message: expect.stringContaining(reason) });

describe('a server refuses as malformed', () => {
  it.each<[string, Partial<Evidence>]>([
    ['no DevID certificate to attest', { devIdCertificates: [] }],
    ['missing DevID key public blob', { devIdPublic: new Uint8Array() }],
    ['missing attestation key public blob', { attestationPublic: new Uint8Array() }],
    ['missing endorsement certificate', { endorsementCertificate: new Uint8Array() }],
    ['missing endorsement key public blob', { endorsementPublic: new Uint8Array() }],
    ['missing certification of the DevID key', { certification: new Uint8Array() }],
    ['missing signature of the certification', { certificationSignature: new Uint8Array() }],
    ['unusable endorsement certificate', { endorsementCertificate: new Uint8Array(64) }],
    ['unusable DevID certificate', { devIdCertificates: [new Uint8Array(64)] }],
    ['more than 8 intermediate certificates', { devIdCertificates: Array.from({ length: 10 }, () => devIdCa.der) }],
    ['the name algorithm is 0x0', { attestationPublic: new Uint8Array(64) }],
  ])('%s', async (reason, change) => {
    await expect(attestAs(withEvidence(agentOf(), change))).rejects.toMatchObject(malformed(reason));
  });

  it('public areas that are cut off, go on, or name what no TPM should use', async () => {
    const { raw } = tpm.key(ATTESTATION_KEY).area;
    const sha1 = Buffer.from(raw);
    sha1.writeUInt16BE(0x0004, 2);
    const cases: [string, Uint8Array][] = [
      ['cut off', raw.subarray(0, -1)],
      ['1 bytes follow', Buffer.concat([raw, Buffer.alloc(1)])],
      ['SHA-2 is supported', sha1],
      ['the scheme is 0x1a', Buffer.concat([raw.subarray(0, 12), u16(0x001a), raw.subarray(14)])],
    ];
    for (const [reason, attestationPublic] of cases) {
      const agent = withEvidence(agentOf(), { attestationPublic });
      await expect(attestAs(agent), reason).rejects.toMatchObject(malformed(reason));
    }
  });

  it('every shortened text', async () => {
    const payload = formatEvidence(agentOf().evidence);
    for (let length = 0; length < payload.length; length += 97) {
      const pair = new ChannelPair();
      const verifying = verifierOf().verify(payload.subarray(0, length), pair.server, new AbortController().signal);
      await expect(verifying, String(length)).rejects.toMatchObject({ code: 'invalid-argument' });
    }
  });
});

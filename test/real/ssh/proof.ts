import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { firstBlobOf } from '../../../plugins/src/node-attestor/sshpop/authorized-keys.ts';
import {
  formatPayload,
  formatResponse,
  parseChallenge,
  textToSign,
} from '../../../plugins/src/node-attestor/sshpop/messages.ts';
import { readPrivateKey } from '../../../plugins/src/node-attestor/sshpop/private-key.ts';
import { signWith } from '../../../plugins/src/node-attestor/sshpop/signature.ts';
import type { Proof } from '../../interop/spire/remote.ts';
import type { HostFiles } from './host-keys.ts';

/** What an agent without scruples sends: any certificate, with the signature of any key. */
export async function sshProof({ certificate, key }: HostFiles): Promise<Proof> {
  const privateKey = readPrivateKey(await readFile(key, 'utf8'));
  return {
    type: 'sshpop',
    payload: Uint8Array.from(formatPayload(firstBlobOf(await readFile(certificate, 'utf8')))),
    answer: (challenge) => {
      const nonce = randomBytes(32);
      const signature = signWith(privateKey, textToSign(parseChallenge(challenge), nonce));
      return Uint8Array.from(formatResponse({ nonce, signature }));
    },
  };
}

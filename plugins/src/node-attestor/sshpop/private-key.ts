import { createPrivateKey, type KeyObject } from 'node:crypto';
import { PASSPHRASE, readOpensshKey } from './openssh-key.ts';
import { publicKeyOf } from './public-key.ts';
import { SshFormatError } from './ssh-reader.ts';

const PEM = /^-----BEGIN (?<label>[A-Z0-9 ]+)-----$(?<body>[^]*?)^-----END \k<label>-----\s*$/m;

/**
 * The private key in a file of OpenSSH's own form, PKCS#1, SEC1 or PKCS#8.
 *
 * @throws {SshFormatError} that completes a sentence about the file, and never says what is in it
 */
export function readPrivateKey(text: string): KeyObject {
  if (text.startsWith('PuTTY-User-Key-File')) throw new SshFormatError('is a key of PuTTY; export it to OpenSSH');
  const { label, body } = PEM.exec(text.replaceAll('\r\n', '\n'))?.groups ?? {};
  if (label === undefined || body === undefined) throw new SshFormatError('holds no private key');
  if (label === 'OPENSSH PRIVATE KEY') return readOpensshKey(Buffer.from(body, 'base64'));
  if (label === 'ENCRYPTED PRIVATE KEY' || body.includes('ENCRYPTED')) throw new SshFormatError(PASSPHRASE);
  if (!label.endsWith('PRIVATE KEY')) throw new SshFormatError(`holds no private key but a ${label.toLowerCase()}`);
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch (cause) {
    throw new SshFormatError('holds a private key that is broken or of an unsupported kind', { cause });
  }
  publicKeyOf(key);
  return key;
}

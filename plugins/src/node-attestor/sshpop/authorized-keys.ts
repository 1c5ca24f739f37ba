import { bytesFromBase64 } from '../../base64.ts';
import { quoted, readPublicKey, type SshPublicKey } from './public-key.ts';
import { SshFormatError } from './ssh-reader.ts';

/** What OpenSSH writes before a key that certifies others; any other option would limit the key, and is not understood. */
const MARK = 'cert-authority';

/**
 * The keys in a text of the form of `authorized_keys`, one a line: type, base64, comment. Blank lines and lines that start
 * with `#` say nothing.
 *
 * @throws {SshFormatError} with the number of the line
 */
export function readKeyLines(text: string): readonly SshPublicKey[] {
  return text.split('\n').flatMap((line, index) => {
    const content = line.trim();
    if (content === '' || content.startsWith('#')) return [];
    try {
      return [readKeyLine(content)];
    } catch (cause) {
      throw new SshFormatError(`line ${index + 1}: ${(cause as Error).message}`, { cause });
    }
  });
}

function readKeyLine(line: string): SshPublicKey {
  const [first = '', ...others] = line.split(/[ \t]+/);
  const [type = '', encoded] = first === MARK ? others : [first, ...others];
  const blob = encoded === undefined ? undefined : bytesFromBase64(encoded);
  if (blob === undefined) {
    const help = `expected a key type and a key in base64, perhaps after "${MARK}"`;
    throw new SshFormatError(`${quoted(type)} is followed by no key; ${help}`);
  }
  if (/-cert-v01@/.test(type)) throw new SshFormatError('a certificate stands where a plain key is needed');
  const key = readPublicKey(blob);
  if (key.type !== type) throw new SshFormatError(`the key is not of the type ${quoted(type)} that stands before it`);
  return key;
}

/** The bytes of the first key or certificate in a `.pub` file. @throws {SshFormatError} */
export function firstBlobOf(text: string): Uint8Array {
  const line = text.split('\n').find((each) => each.trim() !== '' && !each.trim().startsWith('#'));
  const blob = bytesFromBase64(line?.trim().split(/[ \t]+/)[1]);
  if (blob === undefined) throw new SshFormatError('it holds no line with a type and base64');
  return blob;
}

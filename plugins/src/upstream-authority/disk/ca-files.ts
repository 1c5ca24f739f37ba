import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ConfigError } from '@steeple/daemon';
import { buildPath, type Certificate, localSigner, parseCertificatesPem, X509Issuer } from '@steeple/spiffe';

export interface CaFilePaths {
  readonly certificate: string;
  readonly key: string;
  /** Without it the CA has to be self-signed. */
  readonly bundle: string | undefined;
}

/** A CA kept in files, ready to sign. */
export interface CaFiles {
  readonly issuer: X509Issuer;
  readonly roots: readonly Certificate[];
  /** What was read; equal text, equal CA. */
  readonly text: string;
}

/**
 * Reads the files and judges them as SPIRE does: key and certificate belong together, and a root vouches for them now.
 *
 * @throws {ConfigError} naming the setting at fault, with SPIRE's words
 */
export async function readCaFiles(paths: CaFilePaths, now: number): Promise<CaFiles> {
  const certificateText = await read('cert_file_path', paths.certificate, 'unable to load upstream CA cert');
  const keyText = await read('key_file_path', paths.key, 'unable to load upstream CA key');
  const bundleText =
    paths.bundle && (await read('bundle_file_path', paths.bundle, 'unable to load upstream CA bundle'));
  const key = parseKey(keyText, paths.key);
  const chain = parse('cert_file_path', paths.certificate, certificateText, 'unable to load upstream CA cert');
  const roots =
    bundleText === undefined
      ? onlyOne(chain)
      : parse('bundle_file_path', paths.bundle ?? '', bundleText, 'unable to load upstream CA bundle');
  const issuer = issuerOf(key, chain);
  requireTrusted(chain, roots, bundleText !== undefined, now);
  return { issuer, roots, text: [certificateText, keyText, bundleText].join('\0') };
}

async function read(setting: string, path: string, what: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw problem(setting, `${what}: the file cannot be read (${(cause as NodeJS.ErrnoException).code})`, path);
  }
}

function parse(setting: string, path: string, text: string, what: string): readonly Certificate[] {
  let certificates: readonly Certificate[];
  try {
    certificates = parseCertificatesPem(text);
  } catch (cause) {
    throw problem(setting, `${what}: ${(cause as Error).message}`, path);
  }
  if (certificates.length === 0) throw problem(setting, `${what}: no certificate in PEM`, path);
  return certificates;
}

function parseKey(text: string, path: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch {
    // Without the cause: what OpenSSL says may quote the file.
    throw problem('key_file_path', 'unable to load upstream CA key: no private key in PEM without a passphrase', path);
  }
}

function onlyOne(chain: readonly Certificate[]): readonly Certificate[] {
  if (chain.length === 1) return chain;
  throw problem('bundle_file_path', 'with no bundle_file_path configured only self-signed CAs are supported');
}

function issuerOf(key: KeyObject, [certificate, ...above]: readonly Certificate[]): X509Issuer {
  try {
    return new X509Issuer(localSigner(key), certificate as Certificate, above);
  } catch (cause) {
    const { message } = cause as Error;
    const reason = message.includes('key is not that') ? 'certificate and private key do not match' : message;
    throw problem('cert_file_path', `unable to load upstream CA: ${reason}`);
  }
}

function requireTrusted(
  [ca, ...intermediates]: readonly Certificate[],
  anchors: readonly Certificate[],
  withBundle: boolean,
  now: number,
) {
  if (ca === undefined) return;
  const words =
    'unable to load upstream CA: certificate cannot be validated with the provided bundle or is not self-signed';
  if (now < ca.notBefore || now > ca.notAfter) throw problem('cert_file_path', `${words}: it is not valid now`);
  // Without a bundle the CA is its own root, and a root that others can find the end of a path at is self-signed.
  if (!withBundle && !ca.isSelfSigned) throw problem('cert_file_path', words);
  if (anchors.some((root) => root.equals(ca))) return;
  try {
    buildPath({ leaf: ca, intermediates, anchors, now });
  } catch (cause) {
    throw problem('cert_file_path', `${words}: ${(cause as Error).message}`);
  }
}

function problem(path: string, message: string, file?: string): ConfigError {
  return new ConfigError([{ path, message, ...(file !== undefined && { file }) }]);
}

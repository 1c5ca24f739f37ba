// An authority that gives DevID certificates to keys of TPMs, and the provisioning of a machine with tpm2-tools.
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toPem } from '@steeple/client';
import { type Forged, forgeCertificate } from '@steeple/test-kit';
import type { Swtpm } from './swtpm.ts';

type KeyKind = 'rsa' | 'ecc';

const ALGORITHMS = {
  rsa: { parent: 'rsa2048:aes128cfb', key: 'rsa2048:rsassa-sha256:null' },
  ecc: { parent: 'ecc256:aes128cfb', key: 'ecc256:ecdsa-sha256:null' },
};
const PARENT = 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt';
const KEY = 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign';
const HOUR = 3600;

export interface DevIdOptions {
  readonly kind?: KeyKind;
  readonly attributes?: string;
  readonly keyPassword?: string;
  readonly ownerPassword?: string;
  /** Blobs as SPIRE's agent takes them: without the size that tpm2-tools write in front. */
  readonly bare?: boolean;
}

/** The files of one machine's DevID. */
export interface ProvisionedDevId {
  readonly certificatePath: string;
  readonly privateBlobPath: string;
  readonly publicBlobPath: string;
  /** SHA-1 of the certificate, as in the agent's SPIFFE ID. */
  readonly fingerprint: string;
  readonly commonName: string;
}

export class DevIdAuthority {
  readonly #root: Forged;
  readonly #folder: string;
  readonly path: string;
  #count = 0;

  private constructor(folder: string, root: Forged) {
    this.#folder = folder;
    this.#root = root;
    this.path = join(folder, 'devid-ca.pem');
  }

  static async create(folder: string): Promise<DevIdAuthority> {
    const now = Date.now() / 1000;
    const validity = { notBefore: now - HOUR, notAfter: now + 24 * HOUR };
    const root = forgeCertificate({ commonName: 'devid-ca', ca: true, keyUsage: ['keyCertSign'], ...validity });
    const authority = new DevIdAuthority(folder, root);
    await writeFile(authority.path, toPem('CERTIFICATE', root.der));
    return authority;
  }

  /** DER of a certificate for this key. */
  certify(publicKey: KeyObject, commonName: string): Uint8Array {
    const now = Date.now() / 1000;
    const validity = { notBefore: now - HOUR, notAfter: now + 12 * HOUR };
    const issuer = this.#root;
    return forgeCertificate({ issuer, publicKey, commonName, keyUsage: ['digitalSignature'], ...validity }).der;
  }

  /** Makes a key in the TPM as the page of the plugin tells, and certifies it. */
  async provision(tpm: Swtpm, options: DevIdOptions = {}): Promise<ProvisionedDevId> {
    this.#count += 1;
    const { kind = 'ecc', attributes = KEY, keyPassword, ownerPassword } = options;
    const path = (name: string) => join(this.#folder, `${this.#count}.${name}`);
    const owner = ownerPassword === undefined ? [] : ['-P', ownerPassword];
    const secret = keyPassword === undefined ? [] : ['-p', keyPassword];
    const { parent, key } = ALGORITHMS[kind];
    const parentContext = ['-c', path('srk')];
    await tpm.tool('createprimary', '-C', 'o', '-g', 'sha256', '-G', parent, '-a', PARENT, ...owner, ...parentContext);
    const blobs = ['-u', path('pub'), '-r', path('priv')];
    await tpm.tool('create', '-C', path('srk'), '-g', 'sha256', '-G', key, '-a', attributes, ...secret, ...blobs);
    const publicKey = createPublicKey(await tpm.tool('print', '-t', 'TPM2B_PUBLIC', '-f', 'pem', path('pub')));
    const commonName = `machine-${this.#count}`;
    const certificate = this.certify(publicKey, commonName);
    if (options.bare === true) for (const name of ['pub', 'priv']) await cutSize(path(name));
    await writeFile(path('crt'), toPem('CERTIFICATE', certificate));
    return {
      certificatePath: path('crt'),
      privateBlobPath: path('priv'),
      publicBlobPath: path('pub'),
      fingerprint: createHash('sha1').update(certificate).digest('hex'),
      commonName,
    };
  }
}

async function cutSize(path: string): Promise<void> {
  await writeFile(path, (await readFile(path)).subarray(2));
}

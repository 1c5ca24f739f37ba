// A root authority in files, as the UpstreamAuthority "disk" reads it.
import { createHash, createPublicKey } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toPem } from '@steeple/client';
import { der, type Forged, forgeCertificate } from '@steeple/test-kit';

export class UpstreamRoot {
  readonly certificatePath: string;
  readonly keyPath: string;
  root!: Forged;
  /** Lower-case hexadecimal. */
  subjectKeyId = '';

  private constructor(dir: string) {
    this.certificatePath = join(dir, 'upstream.pem');
    this.keyPath = join(dir, 'upstream.key');
  }

  static async create(dir: string, name: string): Promise<UpstreamRoot> {
    await mkdir(dir, { recursive: true });
    const upstream = new UpstreamRoot(dir);
    await upstream.replace(name);
    return upstream;
  }

  /** A new root in the same files. */
  async replace(name: string): Promise<void> {
    const now = Date.now() / 1000;
    const draft = forgeCertificate({ commonName: name, notBefore: now, notAfter: now });
    const spki = createPublicKey(draft.privateKey).export({ type: 'spki', format: 'der' });
    const id = createHash('sha1').update(spki).digest();
    this.root = forgeCertificate({
      commonName: name,
      privateKey: draft.privateKey,
      ca: true,
      keyUsage: ['keyCertSign', 'cRLSign'],
      extensions: [{ oid: '2.5.29.14', value: der.octets(id) }],
      notBefore: now - 3600,
      notAfter: now + 86_400,
    });
    this.subjectKeyId = id.toString('hex');
    await writeFile(this.keyPath, this.root.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    await writeFile(this.certificatePath, toPem('CERTIFICATE', this.root.der));
  }
}

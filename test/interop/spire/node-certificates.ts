// A certification authority for nodes, as operators have one for x509pop.
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toPem } from '@steeple/client';
import { type Forged, forgeCertificate } from '@steeple/test-kit';

export interface NodeCertificate {
  readonly certificatePath: string;
  readonly keyPath: string;
  /** SHA-1 of the certificate, as in the agent's SPIFFE ID. */
  readonly fingerprint: string;
  readonly forged: Forged;
}

const day = 86_400;

export class NodeAuthority {
  readonly #root: Forged;
  readonly #dir: string;
  readonly path: string;
  #count = 0;

  private constructor(dir: string) {
    this.#dir = dir;
    this.path = join(dir, 'node-ca.pem');
    const now = Date.now() / 1000;
    this.#root = forgeCertificate({
      commonName: 'node-ca',
      ca: true,
      keyUsage: ['keyCertSign', 'cRLSign'],
      notBefore: now - day,
      notAfter: now + day,
    });
  }

  static async create(dir: string): Promise<NodeAuthority> {
    await mkdir(dir, { recursive: true });
    const authority = new NodeAuthority(dir);
    await writeFile(authority.path, toPem('CERTIFICATE', authority.#root.der));
    return authority;
  }

  /** `uris` become selectors: `x509pop://<trust domain>/<key>/<value>`. */
  async issue(uris: readonly string[] = []): Promise<NodeCertificate> {
    this.#count += 1;
    const now = Date.now() / 1000;
    const forged = forgeCertificate({
      issuer: this.#root,
      commonName: `node-${this.#count}`,
      uris,
      sanCritical: false,
      keyUsage: ['digitalSignature'],
      notBefore: now - day,
      notAfter: now + day,
    });
    const [certificatePath, keyPath] = ['crt', 'key'].map((kind) => join(this.#dir, `node-${this.#count}.${kind}`)) as [
      string,
      string,
    ];
    await writeFile(certificatePath, toPem('CERTIFICATE', forged.der));
    await writeFile(keyPath, forged.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    return { certificatePath, keyPath, fingerprint: createHash('sha1').update(forged.der).digest('hex'), forged };
  }
}

import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { type Certificate, generateKey, localSigner, pkcs8Of, selfSignedCa, toPem } from '@steeple/spiffe';
import { type TempDir, tempDir } from '@steeple/test-kit';
import { TRUST_DOMAIN } from './test-server.ts';

/** A CA in files, as UpstreamAuthority `disk` wants it; for tests only. */
export class DiskCa implements AsyncDisposable {
  readonly #dir: TempDir;
  #root: Certificate | undefined;

  /** `life` is that of its root, seconds. */
  static async make(life = 86_400): Promise<DiskCa> {
    const ca = new DiskCa(await tempDir());
    await ca.renew([], life);
    return ca;
  }

  private constructor(dir: TempDir) {
    this.#dir = dir;
  }

  get root(): Certificate {
    if (!this.#root) throw new Error('no root yet');
    return this.#root;
  }

  get rootId(): string {
    return this.root.subjectKeyId ?? '';
  }

  get plugins(): Record<string, unknown> {
    const plugin_data = {
      cert_file_path: this.#dir.join('ca.pem'),
      key_file_path: this.#dir.join('key.pem'),
      bundle_file_path: this.#dir.join('bundle.pem'),
    };
    return { UpstreamAuthority: { disk: { plugin_data } } };
  }

  /** Replaces the CA by another; `also` are older roots that stay in the bundle. */
  async renew(also: readonly Certificate[] = [], life = 86_400): Promise<void> {
    const key = generateKey('ec-p256');
    const now = Math.floor(Date.now() / 1000);
    this.#root = await selfSignedCa(localSigner(key), {
      trustDomain: TRUST_DOMAIN,
      subject: { organization: ['upstream'], serialNumber: randomBytes(4).toString('hex') },
      notBefore: now - 60,
      notAfter: now + life,
      serial: randomBytes(16),
    });
    const pem = (...certificates: Certificate[]) => certificates.map(({ raw }) => toPem('CERTIFICATE', raw)).join('');
    await writeFile(this.#dir.join('bundle.pem'), pem(this.#root, ...also));
    await writeFile(this.#dir.join('key.pem'), toPem('PRIVATE KEY', pkcs8Of(key)));
    await writeFile(this.#dir.join('ca.pem'), pem(this.#root));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dir[Symbol.asyncDispose]();
  }
}

// A trust domain whose authority certifies whatever it is asked to, names of others too.
import { Agent } from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import { toPem } from '@steeple/client';
import { CLIENT_AUTH, type Forged, forgeCertificate, SERVER_AUTH } from '@steeple/test-kit';
import { now } from '../spire/checks.ts';
import type { ServerUnit } from '../spire/server-unit.ts';

export class Stranger {
  readonly name: string;
  #root: Forged;

  constructor(name: string) {
    this.name = name;
    this.#root = this.#makeRoot();
  }

  /** From now on another root is this domain's. */
  replaceRoot(): void {
    this.#root = this.#makeRoot();
  }

  /** The server knows this trust domain by this root, and by no other. */
  async introduce({ api }: ServerUnit): Promise<void> {
    const bundle = { trustDomain: this.name, x509Authorities: [{ asn1: new Uint8Array(this.#root.der) }] };
    const { results } = await api.bundle.batchSetFederatedBundle({ bundle: [bundle] }, { deadline: 10 });
    if (results[0]?.status?.code !== 0) throw new Error(`${this.name}: ${results[0]?.status?.message}`);
  }

  /** Key and certificate for that name, for either side of TLS. */
  certify(id: string): SecureContextOptions {
    const { der, privateKey } = forgeCertificate({
      issuer: this.#root,
      uris: [id],
      ca: false,
      keyUsage: ['digitalSignature'],
      extKeyUsage: [SERVER_AUTH, CLIENT_AUTH],
      notBefore: now() - 60,
      notAfter: now() + 3600,
    });
    return { cert: toPem('CERTIFICATE', der), key: privateKey.export({ type: 'pkcs8', format: 'pem' }) };
  }

  #makeRoot(): Forged {
    return forgeCertificate({
      commonName: this.name,
      uris: [`spiffe://${this.name}`],
      ca: true,
      keyUsage: ['keyCertSign', 'cRLSign'],
      notBefore: now() - 60,
      notAfter: now() + 86_400,
    });
  }
}

/** Presents that certificate and believes every server: it is the server's judgement that counts. */
export const presenting = (secrets: SecureContextOptions): Agent =>
  new Agent({ ...secrets, rejectUnauthorized: false, keepAlive: false });

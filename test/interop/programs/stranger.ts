// A trust domain whose authority certifies whatever it is asked to, names of others too.
import { Agent, createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import { spkiOf, type TokenAuthority, toPem } from '@steeple/client';
import { CLIENT_AUTH, type Forged, forgeCertificate, SERVER_AUTH } from '@steeple/test-kit';
import { now } from '../spire/checks.ts';
import type { ServerUnit } from '../spire/server-unit.ts';
import type { Site } from '../spire/site.ts';

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

  /** The server knows this trust domain by this root, and by no other; for tokens by these keys. */
  async introduce({ api }: ServerUnit, keys: readonly TokenAuthority[] = []): Promise<void> {
    const jwtAuthorities = keys.map(({ kid, publicKey }) => ({
      keyId: kid,
      publicKey: new Uint8Array(spkiOf(publicKey)),
    }));
    const x509Authorities = [{ asn1: new Uint8Array(this.#root.der) }];
    const bundle = { trustDomain: this.name, x509Authorities, jwtAuthorities };
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

/** The port of a web server that shows one certificate and believes every client. */
export async function showing(site: Site, secrets: SecureContextOptions): Promise<number> {
  const options = { ...secrets, requestCert: true, rejectUnauthorized: false };
  const server = createServer(options, (_, response) => response.end('hello'));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  site.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

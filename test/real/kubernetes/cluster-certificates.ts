// Keys and certificates of a cluster, as its programs want them, and the kubeconfigs that name them.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../stack/process.ts';

const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

export class ClusterCertificates {
  readonly folder: string;
  readonly ca: string;
  /** Signs the tokens of ServiceAccounts. */
  readonly tokenKey: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.ca = join(folder, 'ca.crt');
    this.tokenKey = join(folder, 'sa.key');
  }

  static async create(folder: string): Promise<ClusterCertificates> {
    await mkdir(folder, { recursive: true });
    const made = new ClusterCertificates(folder);
    const usage = ['-addext', 'keyUsage=critical,keyCertSign,cRLSign'];
    await openssl(['req', '-x509', ...EC, '-keyout', made.key('ca'), '-out', made.ca, '-subj', '/CN=ca', ...usage]);
    await openssl(['genrsa', '-out', made.tokenKey, '2048']);
    return made;
  }

  certificate(name: string): string {
    return join(this.folder, `${name}.crt`);
  }

  key(name: string): string {
    return join(this.folder, `${name}.key`);
  }

  /** A certificate for client and server, with alternative names like `IP:10.0.0.1` and `DNS:node1`. */
  async issue(name: string, subject: string, alternatives: readonly string[] = []): Promise<void> {
    const request = join(this.folder, `${name}.csr`);
    const extensions = join(this.folder, `${name}.ext`);
    const names = alternatives.length === 0 ? '' : `subjectAltName=${alternatives.join(',')}\n`;
    await writeFile(extensions, `extendedKeyUsage=clientAuth,serverAuth\n${names}`);
    await openssl(['req', '-new', ...EC, '-keyout', this.key(name), '-out', request, '-subj', subject]);
    const authority = ['-CA', this.ca, '-CAkey', this.key('ca'), '-CAcreateserial', '-days', '2'];
    const files = ['-in', request, '-out', this.certificate(name), '-extfile', extensions];
    await openssl(['x509', '-req', ...files, ...authority]);
  }

  /** The path of a kubeconfig with the certificate of that name. */
  async kubeconfig(name: string, server: string): Promise<string> {
    const path = join(this.folder, `${name}.conf`);
    const user = { 'client-certificate': this.certificate(name), 'client-key': this.key(name) };
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'cluster', cluster: { server, 'certificate-authority': this.ca } }],
      users: [{ name, user }],
      contexts: [{ name: 'cluster', context: { cluster: 'cluster', user: name } }],
      'current-context': 'cluster',
    };
    await writeFile(path, JSON.stringify(config, null, 2), { mode: 0o600 });
    return path;
  }
}

async function openssl(args: readonly string[]): Promise<void> {
  const { code, output } = await run('openssl', args);
  if (code !== 0) throw new Error(`openssl ${args[0]} failed:\n${output}`);
}

import { readFile, stat } from 'node:fs/promises';
import { reasonOf } from '@steeple/daemon';
import type { K8sConfig } from './configuration.ts';
import { KubeletError } from './kubelet-error.ts';

/** How the kubelet is asked at this moment. */
export interface KubeletConnection {
  readonly url: string;
  /** PEM; undefined: the certificate is not verified. */
  readonly ca: string | undefined;
  /** Whether the certificate must be for the host in `url`, beyond its chain. */
  readonly verifyName: boolean;
  readonly identity: { readonly certificate: string; readonly key: string } | undefined;
  readonly token: string | undefined;
}

const LARGEST_FILE = 1024 * 1024;

/** The way to the kubelet by the configuration; its files are read again after a while, and when the kubelet refused. */
export class KubeletAccess {
  readonly #config: K8sConfig;
  readonly #nodeName: string;
  readonly #monotonic: () => number;
  #known: { readonly connection: KubeletConnection; readonly readAt: number } | undefined;

  /** @param nodeName - empty: the kubelet is asked on the loopback interface */
  constructor(config: K8sConfig, nodeName: string, monotonic: () => number) {
    this.#config = config;
    this.#nodeName = nodeName;
    this.#monotonic = monotonic;
  }

  /** @throws {KubeletError} naming the file at fault */
  async connection(): Promise<KubeletConnection> {
    const now = this.#monotonic();
    if (this.#known !== undefined && now - this.#known.readAt < this.#config.reload_interval) {
      return this.#known.connection;
    }
    const connection = await this.#read();
    this.#known = { connection, readAt: now };
    return connection;
  }

  /** The next request reads the files again. */
  forget(): void {
    this.#known = undefined;
  }

  async #read(): Promise<KubeletConnection> {
    const { kubelet_read_only_port: plainPort, kubelet_secure_port: port } = this.#config;
    if (plainPort > 0) {
      const url = `http://127.0.0.1:${plainPort}/pods`;
      return { url, ca: undefined, verifyName: false, identity: undefined, token: undefined };
    }
    const { skip_kubelet_verification: skip, kubelet_ca_path: caPath } = this.#config;
    const host = this.#nodeName || '127.0.0.1';
    return {
      url: `https://${host.includes(':') ? `[${host}]` : host}:${port}/pods`,
      ca: skip ? undefined : await contentOf(caPath, 'kubelet_ca_path'),
      // The certificate of a kubelet is for the node's name and addresses, hardly ever for the loopback interface.
      verifyName: this.#nodeName !== '',
      ...(await this.#credentials()),
    };
  }

  async #credentials(): Promise<Pick<KubeletConnection, 'identity' | 'token'>> {
    const { use_anonymous_authentication: anonymous, certificate_path, private_key_path, token_path } = this.#config;
    if (anonymous) return { identity: undefined, token: undefined };
    if (certificate_path !== undefined && private_key_path !== undefined) {
      const certificate = await contentOf(certificate_path, 'certificate_path');
      return {
        identity: { certificate, key: await contentOf(private_key_path, 'private_key_path') },
        token: undefined,
      };
    }
    return { identity: undefined, token: (await contentOf(token_path, 'token_path')).trim() };
  }
}

async function contentOf(path: string, setting: string): Promise<string> {
  const problem = (what: string, cause?: unknown) => new KubeletError(`${setting}: ${path} ${what}`, false, cause);
  let text: string;
  try {
    const { size } = await stat(path);
    if (size > LARGEST_FILE) throw problem(`is larger than ${LARGEST_FILE} bytes`);
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (cause instanceof KubeletError) throw cause;
    throw problem(`cannot be read: ${reasonOf(cause)}`, cause);
  }
  if (text.trim() === '') throw problem('is empty');
  return text;
}

// A running Envoy, and what it says of the secrets it holds.
import { copyFile, link, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Certificate, parseCertificatesPem } from '@steeple/client';
import { freePort } from '../../../cli/src/dev/free-port.ts';
import { Process } from '../../stack/process.ts';
import { envoy } from '../peers/third-party.ts';
import { eventually } from '../spire/checks.ts';
import type { Site } from '../spire/site.ts';
import { type EnvoyConfig, envoyConfig } from './envoy-config.ts';

interface Inline {
  readonly inline_bytes?: string;
}

interface Held {
  readonly name: string;
  readonly secret?: {
    readonly tls_certificate?: { readonly certificate_chain: Inline };
    readonly validation_context?: {
      readonly trusted_ca?: Inline;
      readonly custom_validator_config?: {
        readonly typed_config: {
          readonly trust_domains: readonly { readonly name: string; readonly trust_bundle: Inline }[];
        };
      };
    };
  };
}

const certificates = ({ inline_bytes = '' }: Inline): Certificate[] =>
  inline_bytes === '' ? [] : [...parseCertificatesPem(Buffer.from(inline_bytes, 'base64').toString())];

export class EnvoyUnit {
  readonly path: string;
  readonly #dir: string;
  readonly #site: Site;
  #adminPort = 0;

  private constructor(site: Site, dir: string) {
    this.#site = site;
    this.#dir = dir;
    this.path = join(dir, 'envoy');
  }

  /** An Envoy under a path of its own, by which the agent knows it; not started. */
  static async install(site: Site): Promise<EnvoyUnit> {
    const program = await envoy();
    const unit = new EnvoyUnit(site, site.folder('envoy'));
    await mkdir(unit.#dir, { recursive: true });
    // Another file system has no link to it.
    await link(program, unit.path).catch(() => copyFile(program, unit.path));
    return unit;
  }

  async start(config: Omit<EnvoyConfig, 'adminPort'>): Promise<void> {
    this.#adminPort = await freePort();
    const file = join(this.#dir, 'envoy.json');
    await writeFile(file, JSON.stringify(envoyConfig({ ...config, adminPort: this.#adminPort })));
    const args = ['-c', file, '--disable-hot-restart', '--concurrency', '1', '--log-level', 'info'];
    this.#site.watch(new Process('envoy', this.path, args));
    await eventually('Envoy has its secrets', async () => (await this.#admin('/ready')).trim() === 'LIVE', 30);
  }

  /** The leaf of the certificate it presents. */
  async leaf(): Promise<Certificate | undefined> {
    const [chain] = (await this.#held()).flatMap(({ secret }) => secret?.tls_certificate?.certificate_chain ?? []);
    return chain === undefined ? undefined : certificates(chain)[0];
  }

  /** Roots by trust domain, as its SPIFFE validator holds them; under '' those it trusts for everybody. */
  async roots(): Promise<Map<string, Certificate[]>> {
    const roots = new Map<string, Certificate[]>();
    for (const { secret } of await this.#held()) {
      const { trusted_ca, custom_validator_config } = secret?.validation_context ?? {};
      if (trusted_ca !== undefined) roots.set('', certificates(trusted_ca));
      for (const { name, trust_bundle } of custom_validator_config?.typed_config.trust_domains ?? []) {
        roots.set(name, certificates(trust_bundle));
      }
    }
    return roots;
  }

  /** Counters whose name ends so, added. */
  async counted(ending: string): Promise<number> {
    const lines = (await this.#admin('/stats')).split('\n').map((line) => line.split(': '));
    return lines.filter(([name]) => name?.endsWith(ending)).reduce((sum, [, value]) => sum + Number(value), 0);
  }

  async #held(): Promise<readonly Held[]> {
    const dump = JSON.parse(await this.#admin('/config_dump?resource=dynamic_active_secrets')) as { configs?: Held[] };
    return dump.configs ?? [];
  }

  async #admin(path: string): Promise<string> {
    return await (await fetch(`http://127.0.0.1:${this.#adminPort}${path}`)).text();
  }
}

// TPM 2.0 in software, one process each, endorsed by a vendor that the test makes.
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Process, run } from '../../stack/process.ts';
import { needPrograms } from '../debian-packages.ts';

/** @throws {Skip} where they cannot be had */
export async function needTpmPrograms(): Promise<void> {
  const packages = ['swtpm', 'swtpm-tools', 'tpm2-tools', 'libtss2-tcti-swtpm0'];
  await needPrograms(['swtpm', 'swtpm_setup', 'tpm2_createprimary', 'tpm2_print'], packages);
}

/** Who endorses TPMs: swtpm's own CA, in a folder of the test. */
export class Vendor {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async create(folder: string): Promise<Vendor> {
    const ca = join(folder, 'ca');
    await mkdir(ca, { recursive: true });
    const files: Record<string, string> = {
      'ca.conf': `statedir = ${ca}\nsigningkey = ${ca}/key.pem\nissuercert = ${ca}/cert.pem\ncertserial = ${ca}/serial\n`,
      'ca.options': '--platform-manufacturer Test\n--platform-version 1\n--platform-model test\n',
      'setup.conf': `create_certs_tool = swtpm_localca\ncreate_certs_tool_config = ${folder}/ca.conf\ncreate_certs_tool_options = ${folder}/ca.options\n`,
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    return new Vendor(folder);
  }

  get setupConfig(): string {
    return join(this.#folder, 'setup.conf');
  }

  /** File with its certificates, intermediate and root, once it has endorsed a TPM. */
  async bundle(): Promise<string> {
    const path = join(this.#folder, 'bundle.pem');
    const parts = ['cert.pem', 'swtpm-localca-rootca-cert.pem'].map((name) => join(this.#folder, 'ca', name));
    await writeFile(path, (await Promise.all(parts.map((part) => readFile(part)))).join(''));
    return path;
  }
}

export interface SwtpmOptions {
  /** On this TCP port of the loopback address instead of a Unix socket; the control channel is the next one. */
  readonly port?: number;
  /** Leaves out the endorsement certificate. */
  readonly unendorsed?: boolean;
}

export class Swtpm {
  readonly folder: string;
  readonly #options: SwtpmOptions;
  #process!: Process;

  private constructor(folder: string, options: SwtpmOptions) {
    this.folder = folder;
    this.#options = options;
  }

  /** A new TPM of this vendor, switched on. */
  static async create(folder: string, vendor: Vendor, options: SwtpmOptions = {}): Promise<Swtpm> {
    await mkdir(join(folder, 'state'), { recursive: true });
    const state = ['--tpm2', '--tpmstate', join(folder, 'state'), '--config', vendor.setupConfig, '--overwrite'];
    await succeed('swtpm_setup', [...state, ...(options.unendorsed === true ? [] : ['--create-ek-cert'])]);
    const swtpm = new Swtpm(folder, options);
    await swtpm.start();
    return swtpm;
  }

  /** As the agent's `tpm_device_path` has it. */
  get device(): string {
    const { port } = this.#options;
    return port === undefined ? this.socket : `tcp://127.0.0.1:${port}`;
  }

  get socket(): string {
    return join(this.folder, 'sock');
  }

  async start(): Promise<void> {
    const { port } = this.#options;
    const channel =
      port === undefined
        ? ['--server', `type=unixio,path=${this.socket}`, '--ctrl', `type=unixio,path=${this.socket}.ctrl`]
        : ['--server', `type=tcp,port=${port}`, '--ctrl', `type=tcp,port=${port + 1}`];
    const state = ['--tpmstate', `dir=${join(this.folder, 'state')}`, '--flags', 'not-need-init,startup-clear'];
    this.#process = new Process('swtpm', 'swtpm', ['socket', '--tpm2', ...channel, ...state]);
    for (let tries = 0; !(await this.#answers()); tries += 1) {
      if (tries > 100 || !this.#process.running) throw new Error(`swtpm did not start: ${this.#process.tail(3)}`);
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
  }

  /** Runs one of tpm2-tools on this TPM; without a resource manager each leaves what it loaded, so that is thrown out. */
  async tool(name: string, ...args: readonly string[]): Promise<string> {
    const output = await succeed(`tpm2_${name}`, args, this.#env());
    if (name !== 'flushcontext' && name !== 'getcap') await this.tool('flushcontext', '-t');
    return output;
  }

  /** Handles of keys and sessions in its memory. */
  async residents(): Promise<string> {
    return `${await this.tool('getcap', 'handles-transient')}${await this.tool('getcap', 'handles-loaded-session')}`.trim();
  }

  #env(): NodeJS.ProcessEnv {
    const { port } = this.#options;
    const where = port === undefined ? `path=${this.socket}` : `host=127.0.0.1,port=${port}`;
    return { ...process.env, TPM2TOOLS_TCTI: `swtpm:${where}`, TSS2_LOG: 'all+none' };
  }

  async #answers(): Promise<boolean> {
    if (this.#options.port === undefined && !existsSync(this.socket)) return false;
    return (await run('tpm2_getcap', ['properties-fixed'], { env: this.#env() })).code === 0;
  }
}

async function succeed(command: string, args: readonly string[], env = process.env): Promise<string> {
  const { code, output } = await run(command, args, { env });
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} failed (${code}): ${output.trim()}`);
  return output;
}

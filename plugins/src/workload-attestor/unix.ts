import { dedupeSelectors, IssuerError, type Selector } from '@steeple/core';
import type { PeerCredentials } from '@steeple/daemon/listen';
import { z } from 'zod';
import type { PluginDefinition } from '../plugin.ts';
import { AccountNames } from './unix/account-names.ts';
import { readExecutable } from './unix/executable.ts';
import { FileDigests } from './unix/file-digests.ts';
import { ProcessDirectory } from './unix/process-directory.ts';
import { parseOwner } from './unix/process-owner.ts';
import type { WorkloadAttestor } from './workload-attestor.ts';

const TYPE = 'unix';

const schema = z.strictObject({
  /** Whether to look at the executable: selectors `path` and `sha256`. */
  discover_workload_path: z.boolean().default(false),
  /** Largest executable that is hashed, in bytes; a larger one fails. 0 = any size, negative = never hash. */
  workload_size_limit: z.int().default(0),
});

export interface UnixAttestorOptions extends z.infer<typeof schema> {
  /** Seconds from any start. */
  readonly monotonic: () => number;
  readonly passwdFile?: string;
  readonly groupFile?: string;
}

/** Facts the Linux kernel knows of a process: its effective owner, groups and executable, all read under `/proc`. */
export class UnixAttestor implements WorkloadAttestor {
  readonly type = TYPE;
  readonly #options: UnixAttestorOptions;
  readonly #users: AccountNames;
  readonly #groups: AccountNames;
  readonly #digests = new FileDigests();

  constructor(options: UnixAttestorOptions) {
    this.#options = options;
    this.#users = new AccountNames(options.passwdFile ?? '/etc/passwd', options.monotonic);
    this.#groups = new AccountNames(options.groupFile ?? '/etc/group', options.monotonic);
  }

  async attest(peer: PeerCredentials, signal: AbortSignal): Promise<readonly Selector[]> {
    signal.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const onAbort = () => aborted.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      // A long reading goes on without its caller: the digest will be there when it asks again.
      return await Promise.race([this.#attest(peer), aborted.promise]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #attest(peer: PeerCredentials): Promise<readonly Selector[]> {
    await using process = await ProcessDirectory.open(peer);
    const before = await this.#state(process);
    const values = await this.#ownerValues(await process.text('status'));
    if (this.#options.discover_workload_path) values.push(...(await this.#executableValues(process)));
    // Between two readings it may have executed another file or changed its owner; a mixture is nobody's identity.
    if ((await this.#state(process)) !== before) {
      throw new IssuerError('internal', 'the process changed while it was looked at');
    }
    process.requireAlive();
    return dedupeSelectors(values.map((value) => ({ type: TYPE, value })));
  }

  async #ownerValues(status: string): Promise<string[]> {
    const { uid, gid, supplementaryGids } = parseOwner(status);
    const user = await this.#users.nameOf(uid);
    const group = await this.#groups.nameOf(gid);
    const supplementary: string[] = [];
    for (const id of supplementaryGids) {
      const name = await this.#groups.nameOf(id);
      supplementary.push(`supplementary_gid:${id}`, ...named('supplementary_group', name));
    }
    return [`uid:${uid}`, ...named('user', user), `gid:${gid}`, ...named('group', group), ...supplementary];
  }

  async #executableValues(process: ProcessDirectory): Promise<string[]> {
    const { path, sha256 } = await readExecutable(process, this.#digests, this.#options.workload_size_limit);
    return [...named('path', path), ...named('sha256', sha256)];
  }

  /** What must be the same before and after. */
  async #state(process: ProcessDirectory): Promise<string> {
    const owner = JSON.stringify(parseOwner(await process.text('status')));
    return this.#options.discover_workload_path ? `${owner} ${await process.identityOf('exe')}` : owner;
  }
}

function named(kind: string, name: string | undefined): string[] {
  return name === undefined ? [] : [`${kind}:${name}`];
}

export const unixAttestor: PluginDefinition<'workload-attestor', z.infer<typeof schema>> = {
  kind: 'workload-attestor',
  name: TYPE,
  schema,
  create: async (config, { clock }) => new UnixAttestor({ ...config, monotonic: () => clock.monotonic() }),
};

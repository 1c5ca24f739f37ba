import { type Clock, ConfigError, type Logger } from '@steeple/daemon';
import { backoff, heedRetryInfo } from '@steeple/proto/grpc';
import { TrustBundle, type TrustDomain } from '@steeple/spiffe';
import type { AgentIdentity } from './agent-identity.ts';
import { AgentStopped } from './agent-stopped.ts';
import { isFinalRefusal } from './server-verdict.ts';
import type { Storage, StoredAgent, TrustAttempts } from './storage.ts';
import type { TrustLoader, TrustSource } from './trust-source.ts';
import { pause } from './wake-up.ts';

export interface BootstrapParts {
  readonly trustDomain: TrustDomain;
  readonly storage: Storage;
  readonly identity: AgentIdentity;
  readonly source: TrustSource | undefined;
  readonly loadTrust: TrustLoader;
  /** Given the roots for the first contact; there may be nothing but X.509 authorities in it. */
  readonly onTrust: (bundle: TrustBundle) => void;
  /** Told when the bundle of an earlier run does not help any more; resolves to true if this node has attested meanwhile. */
  readonly onDistrust: (error: unknown, signal: AbortSignal) => Promise<boolean>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

/** How far an agent has come on its way to an identity. */
export type BootstrapState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'trusting'; readonly stored: StoredAgent }
  | { readonly kind: 'restoring'; readonly stored: StoredAgent }
  | { readonly kind: 'attesting'; readonly stored: StoredAgent }
  | { readonly kind: 'done'; readonly attested: boolean };

const RETRY = { initial: 1, max: 60, multiplier: 2, jitter: 0.1 };

/** From nothing, or from what an earlier run left, to a trust bundle and an SVID. Retries what waiting may mend. */
export class Bootstrap {
  readonly #parts: BootstrapParts;
  #state: BootstrapState = { kind: 'starting' };
  #attempts: TrustAttempts | undefined;

  constructor(parts: BootstrapParts) {
    this.#parts = parts;
  }

  get state(): BootstrapState {
    return this.#state;
  }

  /** @throws ConfigError, AgentStopped; the signal's reason when it aborts */
  async run(signal: AbortSignal): Promise<void> {
    while (this.#state.kind !== 'done') {
      this.#state = await this.#next(this.#state, signal);
      signal.throwIfAborted();
    }
  }

  async #next(state: BootstrapState, signal: AbortSignal): Promise<BootstrapState> {
    switch (state.kind) {
      case 'starting':
        return { kind: 'trusting', stored: this.#requireOwn(await this.#parts.storage.load()) };
      case 'trusting':
        this.#parts.onTrust(await this.#trust(state.stored, signal));
        return { kind: 'restoring', stored: state.stored };
      case 'restoring':
        return (await this.#parts.identity.restore(state.stored))
          ? { kind: 'done', attested: false }
          : { kind: 'attesting', stored: state.stored };
      case 'attesting':
        await this.#attest(state.stored, signal);
        return { kind: 'done', attested: true };
      case 'done':
        return state;
    }
  }

  /** What is stored belongs to the trust domain that is configured. */
  #requireOwn(stored: StoredAgent): StoredAgent {
    const [leaf] = stored.svid;
    if (leaf === undefined || leaf.spiffeId().memberOf(this.#parts.trustDomain)) return stored;
    const stranger = leaf.spiffeId().trustDomain.name;
    const message = `the data directory belongs to an agent of ${stranger}; use another one, or the right trust domain`;
    throw new ConfigError([{ path: 'agent.data_dir', message }]);
  }

  /** The bundle of the last run is fresher than the one from the configuration, which is for the first. */
  async #trust(stored: StoredAgent, signal: AbortSignal): Promise<TrustBundle> {
    const { trustDomain, source, loadTrust } = this.#parts;
    if (stored.bundle.length > 0) {
      const x509Authorities = stored.bundle.map((certificate) => ({ certificate, tainted: false }));
      return TrustBundle.of(trustDomain, { x509Authorities });
    }
    if (source === undefined) {
      const message = 'one of trust_bundle_path, trust_bundle_url, trust_bundle_pin, insecure_bootstrap is needed';
      throw new ConfigError([{ path: 'agent', message }]);
    }
    if (source.kind === 'insecure')
      this.#parts.logger.warn('Trusting whoever answers as the server: insecure_bootstrap');
    const load = (signal: AbortSignal) => loadTrust(source, this.#nextAttempt(), signal);
    return this.#patiently('Could not get the trust bundle', load, signal);
  }

  async #attest(stored: StoredAgent, signal: AbortSignal): Promise<void> {
    const { identity } = this.#parts;
    let failure: unknown;
    const attest = async (signal: AbortSignal) => {
      if (failure !== undefined && (await this.#recover(stored, failure, signal))) return;
      try {
        await identity.attest(signal);
      } catch (error) {
        failure = error;
        throw error;
      }
    };
    await this.#patiently('Could not attest', attest, signal);
  }

  /** Seeks a better bundle; tells whether this node has attested meanwhile. */
  async #recover(stored: StoredAgent, failure: unknown, signal: AbortSignal): Promise<boolean> {
    const { source, loadTrust, onTrust, onDistrust, logger } = this.#parts;
    if (stored.bundle.length > 0 || source === undefined) return onDistrust(failure, signal);
    try {
      // What was configured may have been corrected meanwhile.
      onTrust(await loadTrust(source, this.#nextAttempt(), signal));
    } catch (error) {
      signal.throwIfAborted();
      logger.warn('Could not get the trust bundle', { error });
    }
    return false;
  }

  #nextAttempt(): TrustAttempts {
    const { since, count } = this.#attempts ?? { since: this.#parts.clock.now(), count: 0 };
    this.#attempts = { since, count: count + 1 };
    return this.#attempts;
  }

  async #patiently<T>(complaint: string, work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    const { clock, random, logger } = this.#parts;
    for (let failures = 1; ; failures++) {
      try {
        return await work(signal);
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof ConfigError) throw error;
        if (isFinalRefusal(error)) throw refused(error as Error);
        const wait = heedRetryInfo(error, backoff(failures, random(), RETRY));
        logger.warn(complaint, { retryIn: wait, error });
        await pause(clock, wait, signal);
        signal.throwIfAborted();
      }
    }
  }
}

function refused(error: Error): AgentStopped {
  const message = `the server refused to attest this node: ${error.message}`;
  const hint = /join token/.test(error.message) ? '; `steeple token generate` makes a new one' : '';
  return new AgentStopped('attestation-refused', message + hint, { cause: error });
}

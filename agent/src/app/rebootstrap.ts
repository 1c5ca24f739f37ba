import { serverId } from '@steeple/core';
import { type Clock, ConfigError, type Logger } from '@steeple/daemon';
import { Code, GrpcError } from '@steeple/proto/grpc';
import { type Certificate, SpiffeError, type TrustBundle, verifyX509Svid } from '@steeple/spiffe';
import type { AgentIdentity } from './agent-identity.ts';
import type { ServerTarget } from './server-link.ts';
import type { ServerTrust } from './server-trust.ts';
import type { Storage, TrustAttempts } from './storage.ts';

export interface RebootstrapParts {
  readonly mode: 'never' | 'auto' | 'always';
  /** Seconds that the server must have been a stranger. */
  readonly delay: number;
  readonly target: ServerTarget;
  readonly trust: ServerTrust;
  readonly identity: Pick<AgentIdentity, 'attest' | 'reattestable'>;
  readonly storage: Pick<Storage, 'attempts' | 'saveAttempts'>;
  /** The chain that whoever answers as the server presents, leaf first. */
  readonly presentedChain: (signal: AbortSignal) => Promise<readonly Certificate[]>;
  /** Gets the bundle from where the configuration says. */
  readonly loadTrust: (attempts: TrustAttempts, signal: AbortSignal) => Promise<TrustBundle>;
  /** The old authorities' work is to be replaced. */
  readonly onRebootstrapped: () => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Begins anew with a server that is trusted no more: one that was rebuilt from nothing, or whose roots changed while this
 * agent was away.
 *
 * B1. Only if the server calls itself the right name under a chain that our bundle does not vouch for. That it is away, or
 *     its certificate has expired, is no reason.
 * B2. Only after it has been so for the configured time, restarts included, and only if this node can attest again.
 * B3. The configured source must vouch for the server. Until it has attested this node, everything stays as it is.
 */
export class Rebootstrap {
  readonly #parts: RebootstrapParts;
  #enabled: boolean;
  #busy: Promise<boolean> | undefined;

  constructor(parts: RebootstrapParts) {
    this.#parts = parts;
    this.#enabled = parts.mode !== 'never';
  }

  /** Once the node has attested. @throws ConfigError if what the configuration insists on is impossible */
  requireReattestable(): void {
    if (!this.#enabled || this.#parts.identity.reattestable) return;
    const message = 'needs a node attestor by which this node can attest again, and the server says it cannot';
    if (this.#parts.mode === 'always') throw new ConfigError([{ path: 'agent.rebootstrap_mode', message }]);
    this.#parts.logger.warn('Bootstrapping anew is switched off: this node cannot attest again');
    this.#enabled = false;
  }

  /** The server is trusted. */
  async succeeded(): Promise<void> {
    await this.#parts.storage.saveAttempts(undefined);
  }

  /** What a failed call means for our trust in the server; tells whether this node has attested anew. */
  async judge(error: unknown, signal: AbortSignal): Promise<boolean> {
    const mayBe = error instanceof GrpcError && error.code === Code.UNAVAILABLE;
    if (!this.#enabled || !mayBe) return false;
    this.#busy ??= this.#alone(signal);
    return this.#busy;
  }

  async #alone(signal: AbortSignal): Promise<boolean> {
    try {
      return await this.#consider(signal);
    } finally {
      this.#busy = undefined;
    }
  }

  async #consider(signal: AbortSignal): Promise<boolean> {
    const { clock, logger, storage, delay } = this.#parts;
    if (!(await this.#isStranger(signal))) return false;
    const { since, count } = storage.attempts ?? { since: clock.now(), count: 0 };
    const attempts = { since, count: count + 1 };
    await storage.saveAttempts(attempts);
    const left = since + delay - clock.now(); // B2
    if (left > 0) {
      logger.warn('The server is not trusted; if that stays, this agent will bootstrap anew', { time_left: left });
      return false;
    }
    try {
      await this.#begin(attempts, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      logger.warn('Could not bootstrap anew', { error });
      return false;
    }
    return true;
  }

  /** B3 */
  async #begin(attempts: TrustAttempts, signal: AbortSignal): Promise<void> {
    const { trust, identity, loadTrust, logger, onRebootstrapped } = this.#parts;
    logger.warn('The server is not trusted; bootstrapping anew', { attempts: attempts.count });
    const bundle = await loadTrust(attempts, signal);
    await trust.tryWith(bundle, () => identity.attest(signal));
    await this.succeeded();
    onRebootstrapped();
    logger.info('Bootstrapped anew');
  }

  /** B1 */
  async #isStranger(signal: AbortSignal): Promise<boolean> {
    const { target, presentedChain } = this.#parts;
    const chain = await presentedChain(signal).catch(() => []);
    signal.throwIfAborted();
    const names = chain[0]?.uriSans ?? [];
    if (names.length !== 1 || names[0] !== serverId(target.trustDomain).toString()) return false;
    try {
      verifyX509Svid(chain, target.bundles, { now: target.now() });
      return false;
    } catch (error) {
      return error instanceof SpiffeError && (error.code === 'untrusted' || error.code === 'no-bundle');
    }
  }
}

import { rotateAt } from '@steeple/core';
import type { Clock, Logger } from '@steeple/daemon';
import type { KeyManager, SigningKey } from '@steeple/plugins';
import { backoff, Code, GrpcError, heedRetryInfo } from '@steeple/proto/grpc';
import { type Certificate, makeCsr, spkiOf, type TrustBundle, X509Svid } from '@steeple/spiffe';
import { AgentStopped } from './agent-stopped.ts';
import type { AttestedAgent } from './attest-node.ts';
import type { CurrentSvid } from './current-svid.ts';
import { isFinalRefusal, serverVerdict, wantsReattestation } from './server-verdict.ts';
import type { Storage, StoredAgent } from './storage.ts';
import { WakeUp } from './wake-up.ts';

export interface AgentIdentityParts {
  readonly current: CurrentSvid;
  readonly keyManager: KeyManager;
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly attest: (csr: Uint8Array, signal: AbortSignal) => Promise<AttestedAgent>;
  readonly renew: (csr: Uint8Array, signal: AbortSignal) => Promise<readonly Certificate[]>;
  /** Given the bundle that came with an attestation. */
  readonly onBundle: (bundle: TrustBundle) => void;
  /** Whether workloads still live on what was handed to them, so that stopping would take something away. */
  readonly stillServing: () => boolean;
}

const KEY_IDS = ['agent-svid-A', 'agent-svid-B'] as const;
const RETRY = { initial: 5, max: 60, multiplier: 1.5, jitter: 0.1 };

/**
 * The agent's own SVID: got by attestation, renewed at half of its life, replaced by attesting again where the method
 * allows it.
 *
 * I1. Key and SVID are on disk before the SVID is used: the server accepts the former one no more after that.
 * I2. Renewal writes to the key that is not in use, so a crash at any moment leaves a pair that fits.
 * I3. One attestation or renewal at a time.
 */
export class AgentIdentity {
  readonly #parts: AgentIdentityParts;
  readonly #wake: WakeUp;
  #keyInUse: string | undefined;
  #reattestable = false;
  #busy: Promise<void> | undefined;
  /** When the SVID in use was issued, as far as we know. */
  #since = 0;
  /** To be replaced at once; another one in its place is not. */
  #unwanted: X509Svid | undefined;

  constructor(parts: AgentIdentityParts) {
    this.#parts = parts;
    this.#wake = new WakeUp(parts.clock);
  }

  get reattestable(): boolean {
    return this.#reattestable;
  }

  /** Takes up the SVID of an earlier run if it is valid and its key is there; tells whether it did. */
  async restore({ svid, reattestable }: StoredAgent): Promise<boolean> {
    const { keyManager, clock, current } = this.#parts;
    const [leaf] = svid;
    if (leaf === undefined || leaf.notAfter <= clock.now()) return false;
    const key = (await keyManager.list()).find((key) => Buffer.compare(spkiOf(key.publicKey), leaf.spki) === 0);
    if (key === undefined) return false;
    this.#keyInUse = key.id;
    this.#reattestable = reattestable;
    this.#since = leaf.notBefore;
    current.set(X509Svid.fromParts(svid, privateKeyOf(key)));
    return true;
  }

  /** Attests this node. @throws GrpcError as the server refused, or as it could not be reached */
  attest(signal: AbortSignal): Promise<void> {
    return this.#alone(async () => {
      const key = await this.#freshKey();
      const { chain, reattestable, bundle } = await this.#parts.attest(await makeCsr(key, {}), signal);
      this.#parts.onBundle(bundle);
      await this.#adopt(key, chain, reattestable);
      this.#parts.logger.info('Node attested', { agent: this.#id(), reattestable });
    });
  }

  /** Replaces the SVID of this moment now instead of at half of its life; asking again while that happens changes nothing. */
  renewNow(): void {
    this.#unwanted = this.#parts.current.x509Svid();
    this.#wake.nudge();
  }

  /** Keeps the SVID fresh until the signal aborts. @throws AgentStopped when it is lost for good */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, logger } = this.#parts;
    for (let failures = 0; !signal.aborted; ) {
      const { notAfter } = this.#parts.current.x509Svid().leaf;
      if (failures === 0) await this.#napUntil(rotateAt(this.#since, notAfter, random()), signal);
      if (signal.aborted) return;
      try {
        await (this.#reattestable ? this.attest(signal) : this.#renew(signal));
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        await this.onServerError(error, signal);
        this.#stopIfExpired();
        failures++;
        const wait = heedRetryInfo(error, backoff(failures, random(), RETRY));
        // Hurry only as long as there is something to save.
        const left = notAfter - clock.now();
        const retryIn = left > 0 ? Math.max(0.1, Math.min(wait, left / 4)) : wait;
        logger.warn('Could not renew the SVID of this agent', { retryIn, error });
        await this.#wake.nap(retryIn, signal);
      }
    }
  }

  /**
   * What a failed call means for our identity: attests again if the server asks for that and the method allows it.
   *
   * @throws AgentStopped if the server wants us no more, or we cannot attest again
   */
  async onServerError(error: unknown, signal: AbortSignal): Promise<void> {
    switch (serverVerdict(error)) {
      case 'retry':
        return;
      case 'banned':
        return this.#giveUp('banned', 'the server has banned this agent; `steeple agent evict` lifts the ban', error);
      case 'reattest':
        if (this.#reattestable || wantsReattestation(error)) return this.#reattest(signal);
        return this.#giveUp(
          'lost-identity',
          `the server knows this agent no more and a join token cannot be used twice; ${HOW_TO_REJOIN}`,
          error,
        );
    }
  }

  async #reattest(signal: AbortSignal): Promise<void> {
    const { logger } = this.#parts;
    logger.warn('The server asks this agent to attest again');
    try {
      await this.attest(signal);
    } catch (error) {
      if (serverVerdict(error) === 'banned' || isFinalRefusal(error)) {
        return this.#giveUp('attestation-refused', 'the server refused to attest this node again', error);
      }
      logger.warn('Could not attest again', { error });
    }
  }

  #renew(signal: AbortSignal): Promise<void> {
    return this.#alone(async () => {
      const key = await this.#freshKey();
      await this.#adopt(key, await this.#parts.renew(await makeCsr(key, {}), signal), this.#reattestable);
      this.#parts.logger.debug('The SVID of this agent was renewed');
    });
  }

  /** I3: who comes second gets the outcome of the first. */
  #alone(work: () => Promise<void>): Promise<void> {
    this.#busy ??= work().finally(() => {
      this.#busy = undefined;
    });
    return this.#busy;
  }

  /** I2 */
  async #freshKey(): Promise<SigningKey> {
    const id = this.#keyInUse === KEY_IDS[0] ? KEY_IDS[1] : KEY_IDS[0];
    return this.#parts.keyManager.generate(id, 'ec-p256');
  }

  async #adopt(key: SigningKey, chain: readonly Certificate[], reattestable: boolean): Promise<void> {
    const svid = X509Svid.fromParts(chain, privateKeyOf(key));
    await this.#parts.storage.saveSvid(chain, reattestable); // I1
    this.#keyInUse = key.id;
    this.#reattestable = reattestable;
    // Backdated: its life with us begins now.
    this.#since = Math.max(svid.leaf.notBefore, this.#parts.clock.now());
    this.#parts.current.set(svid);
  }

  #stopIfExpired(): void {
    const { current, clock, stillServing } = this.#parts;
    if (this.#reattestable || current.x509Svid().leaf.notAfter > clock.now() || stillServing()) return;
    throw new AgentStopped('expired', `the SVID of this agent expired before it could be renewed; ${HOW_TO_REJOIN}`);
  }

  async #giveUp(reason: AgentStopped['reason'], message: string, cause: unknown): Promise<never> {
    await this.#parts.storage.forgetSvid();
    this.#parts.current.clear();
    throw new AgentStopped(reason, message, { cause });
  }

  async #napUntil(moment: number, signal: AbortSignal): Promise<void> {
    const { clock, current } = this.#parts;
    const svid = current.x509Svid();
    // In steps: the machine's clock may be set, and attesting again replaces the SVID meanwhile.
    while (!signal.aborted && clock.now() < moment && current.isSet && current.x509Svid() === svid) {
      if (this.#unwanted === svid) return;
      await this.#wake.nap(Math.min(60, moment - clock.now()), signal);
    }
  }

  #id(): string {
    return this.#parts.current.x509Svid().id.toString();
  }
}

const HOW_TO_REJOIN = 'make a new one with `steeple token generate` and start the agent with it';

function privateKeyOf(key: SigningKey): NonNullable<SigningKey['privateKey']> {
  if (key.privateKey !== undefined) return key.privateKey;
  throw new GrpcError(
    Code.FAILED_PRECONDITION,
    `the key manager keeps the key ${key.id} to itself, and TLS needs it here`,
  );
}

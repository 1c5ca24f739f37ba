import {
  type AuthorityKind,
  type AuthoritySlot,
  type AuthorityState,
  activateAuthority,
  freeSlot,
  IssuerError,
  mustActivate,
  prepareAuthority,
  pruneAuthorities,
  shouldActivate,
  shouldPrepare,
  taintUnderUpstream,
  type UpstreamTrust,
} from '@steeple/core';
import type { Clock, Logger } from '@steeple/daemon';
import type { Certificate } from '@steeple/spiffe';
import type { ActiveAuthorities } from './active-authorities.ts';
import type { AuthorityBook } from './authority-book.ts';
import { type AuthorityKeys, isSignedAbove, published } from './authority-keys.ts';
import type { AuthorityTaints } from './authority-taints.ts';
import type { BundleDelivery } from './bundle-delivery.ts';
import type { Serial } from './serial.ts';
import type { Upstream } from './upstream.ts';
import { issuerOf, rootOf, UpstreamView } from './upstream-view.ts';

/** The rotation looks at least this often, seconds. */
const TICK = 10;
/** And not at once again after a failure, seconds. */
const AFTER_FAILURE = 1;
/** Seconds that agents get to fetch the bundle before an authority takes over that must. */
const PATIENCE = 60;

export interface AuthorityRotationParts {
  readonly kinds: readonly AuthorityKind[];
  readonly book: AuthorityBook;
  readonly serial: Serial;
  readonly keys: AuthorityKeys;
  readonly taints: Pick<AuthorityTaints, 'revokedHere'>;
  readonly delivery: Pick<BundleDelivery, 'lagging' | 'caughtUp'>;
  readonly active: ActiveAuthorities;
  /** Undefined: the X.509 authorities are roots of our own. */
  readonly upstream: Pick<Upstream, 'takesKeys'> | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Makes, replaces and retires the authorities that sign.
 *
 * 1. An authority signs only after its slot and its place in the bundle were stored, in one transaction, and after every
 *    live agent has had that bundle; the wait is bounded, see docs/decisions.
 * 2. Every change happens alone, one after the other.
 * 3. A slot counts only while the key manager holds that very key: a crash between the two leaves a slot without key
 *    (dropped) or a key without slot (overwritten by the next authority), and never one that signs unverifiably.
 * 4. The active slot is never overwritten; what leaves its slot stays in the bundle until it has expired.
 * 5. A root above that is compromised is marked in our bundle only once nothing of ours is signed under it any more.
 */
export class AuthorityRotation {
  readonly #parts: AuthorityRotationParts;
  readonly #book: AuthorityBook;
  readonly #above: UpstreamView;
  /** The bundle in which an authority was published; unknown for those of an earlier run. */
  readonly #publishedIn = new Map<string, bigint>();
  readonly #stopping = new AbortController();
  #isWaiting = false;

  constructor(parts: AuthorityRotationParts) {
    this.#parts = parts;
    this.#book = parts.book;
    this.#above = new UpstreamView(parts.upstream, () => parts.clock.now());
  }

  /**
   * Takes up where the last run ended, or begins. Afterwards every kind can sign. What is due but not urgent comes after the
   * start: an upstream that is away must not keep a server from starting that can go on with what it has.
   */
  async start(): Promise<void> {
    await this.#parts.serial.run(async () => {
      await this.#book.load();
      await this.#forgetExpired();
      for (const kind of this.#parts.kinds) await this.#recover(kind);
      for (const kind of this.#parts.kinds) if (!this.#canSign(kind)) await this.#advance(kind);
    });
    void this.#tryTick(this.#stopping.signal);
  }

  /** Prepares and activates when it is time, until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#stopping.abort(), { once: true });
    for (let failed = false; ; ) {
      await this.#parts.clock.sleep(failed ? Math.max(AFTER_FAILURE, this.#pause()) : this.#pause(), signal);
      try {
        await this.tick();
        failed = false;
      } catch (error) {
        failed = true;
        // The active authorities go on; the next round tries again.
        if (!signal.aborted) this.#parts.logger.error('Rotating the authorities failed', { error });
      }
    }
  }

  /** Ends what is under way, so that the stores may be closed. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#parts.serial.run(async () => {});
  }

  /** One look at the clock. */
  tick(): Promise<void> {
    return this.#parts.serial.run(async () => {
      for (const kind of this.#parts.kinds) await this.#advance(kind);
    });
  }

  async #tryTick(signal: AbortSignal): Promise<void> {
    try {
      await this.tick();
    } catch (error) {
      // The active authorities go on; the next round tries again.
      if (!signal.aborted) this.#parts.logger.error('Rotating the authorities failed', { error });
    }
  }

  /** Takes over what the upstream trusts, and leaves what it trusts no more. */
  follow(trust: UpstreamTrust): Promise<void> {
    return this.#parts.serial.run(async () => {
      const { revokedHere } = this.#parts.taints;
      await this.#book.save(this.#book.slots, (bundle) => this.#above.follow(bundle, trust, revokedHere));
      for (const kind of this.#parts.kinds) await this.#advance(kind);
    });
  }

  /** @throws {IssuerError} `unavailable` before the first activation, `unimplemented` for a kind that is switched off */
  state(kind: AuthorityKind): AuthorityState {
    this.#require(kind);
    return this.#book.state(kind);
  }

  /** Makes a new authority beside the active one. */
  prepare(kind: AuthorityKind): Promise<AuthoritySlot> {
    this.#require(kind);
    return this.#parts.serial.run(() => this.#prepare(kind));
  }

  /** Lets the prepared authority sign, once every live agent knows it. @throws {IssuerError} with SPIRE's texts */
  async activate(kind: AuthorityKind, authorityId: string, signal: AbortSignal): Promise<AuthoritySlot> {
    const { serial, delivery, logger } = this.#parts;
    this.#require(kind);
    await serial.run(async () => activateAuthority(this.#book.slots, kind, authorityId));
    const behind = await delivery.caughtUp(this.#wanted(authorityId), signal);
    if (behind.length > 0) logger.warn('Activating an authority that not every agent knows', { kind, behind });
    return serial.run(() => this.#activate(kind, authorityId));
  }

  /** Drops slots whose key is gone, and publishes again what must be in the bundle. */
  async #recover(kind: AuthorityKind): Promise<void> {
    const { keys, logger } = this.#parts;
    const kept: AuthoritySlot[] = [];
    for (const slot of this.#book.slots[kind]) {
      const isUsable = (await keys.find(slot)) && (kind !== 'x509' || !isSignedAbove(slot) || this.#rootOf(slot));
      if (isUsable) kept.push(slot);
      else logger.warn('The key of an authority is gone, or its root', { kind, slot: slot.slot, status: slot.status });
    }
    this.#book.keep(kind, kept);
    const { active, prepared } = this.#book.state(kind);
    for (const slot of [active, prepared]) {
      if (slot && !isSignedAbove(slot))
        await this.#book.save(this.#book.slots, (bundle) => published(bundle, kind, slot));
    }
    if (active) await this.#use(kind, active);
  }

  async #advance(kind: AuthorityKind): Promise<void> {
    await this.#forgetExpired();
    const now = this.#parts.clock.now();
    const { active, prepared } = this.#book.state(kind);
    const good = prepared && !this.#isSpoilt(kind, prepared) && (await this.#parts.keys.find(prepared));
    if (!active) {
      const { authorityId } = good ? prepared : await this.#prepare(kind);
      await this.#activate(kind, authorityId);
      return;
    }
    const isSpoilt = this.#isSpoilt(kind, active);
    const wantsNext = isSpoilt || shouldPrepare(active, now);
    const next = good ? prepared : wantsNext ? await this.#prepare(kind) : undefined;
    if (next && (isSpoilt || shouldActivate(active, now))) await this.#activateInTime(kind, active, next, isSpoilt);
    if (kind === 'x509') await this.#markLeftRoots();
  }

  async #forgetExpired(): Promise<void> {
    const kept = pruneAuthorities(this.#book.slots, this.#parts.clock.now());
    if (kept !== this.#book.slots) await this.#book.save(kept);
  }

  #canSign(kind: AuthorityKind): boolean {
    const { active } = this.#book.state(kind);
    return active !== undefined && active.notAfter > this.#parts.clock.now();
  }

  /** Waits for lagging agents from look to look, but neither into the end of the active authority nor for ever. */
  async #activateInTime(kind: AuthorityKind, active: AuthoritySlot, next: AuthoritySlot, isSpoilt: boolean) {
    const now = this.#parts.clock.now();
    const behind = await this.#parts.delivery.lagging(this.#wanted(next.authorityId));
    const isOverdue = mustActivate(active, now) || (isSpoilt && now >= next.issuedAt + PATIENCE);
    this.#isWaiting = behind.length > 0 && !isOverdue;
    if (this.#isWaiting) return;
    if (behind.length > 0)
      this.#parts.logger.warn('Activating an authority that not every agent knows', { kind, behind });
    await this.#activate(kind, next.authorityId);
  }

  /** 5 */
  async #markLeftRoots(): Promise<void> {
    const { active } = this.#book.state('x509');
    if (this.#above.marked.length === 0 || (active && this.#above.isUnderMarked(active))) return;
    const slots = taintUnderUpstream(this.#book.slots, (slot) => this.#above.isUnderMarked(slot));
    await this.#book.save(slots, (bundle) => this.#above.mark(bundle));
  }

  async #prepare(kind: AuthorityKind): Promise<AuthoritySlot> {
    const { keys, clock, taints, logger } = this.#parts;
    const place = freeSlot(this.#book.slots, kind);
    const { authority, publish } = await keys.make(kind, place, clock.now(), this.#stopping.signal);
    const slots = prepareAuthority(this.#book.slots, kind, authority);
    await this.#book.save(slots, (bundle) => publish(bundle, taints.revokedHere));
    this.#publishedIn.set(authority.authorityId, this.#book.bundles.own().sequence);
    logger.info('Authority prepared', { kind, authority_id: authority.authorityId, expires_at: authority.notAfter });
    return this.#book.slot(kind, authority.authorityId);
  }

  async #activate(kind: AuthorityKind, authorityId: string): Promise<AuthoritySlot> {
    const slots = activateAuthority(this.#book.slots, kind, authorityId);
    const slot = slots[kind].find((one) => one.authorityId === authorityId);
    if (!slot || !(await this.#parts.keys.find(slot)))
      throw new IssuerError('internal', 'the key of the prepared authority is gone');
    await this.#book.save(slots);
    await this.#use(kind, slot);
    this.#parts.logger.info('Authority activated', { kind, authority_id: authorityId });
    return slot;
  }

  async #use(kind: AuthorityKind, slot: AuthoritySlot): Promise<void> {
    const { keys, active } = this.#parts;
    const key = await keys.find(slot);
    if (!key) throw new IssuerError('internal', 'the key of the active authority is gone');
    if (kind === 'x509') {
      const root = this.#rootOf(slot);
      if (!root) throw new IssuerError('internal', 'the root of the active authority is not in the bundle');
      active.activateX509(issuerOf(key, slot), root);
    } else active.activateToken(kind, { key: { kid: slot.authorityId, signer: key }, notAfter: slot.notAfter });
  }

  #rootOf(slot: AuthoritySlot): Certificate | undefined {
    const roots = this.#book.bundles.own().x509Authorities.map(({ certificate }) => certificate);
    return rootOf(slot, roots, this.#parts.clock.now());
  }

  /** Whether an authority must not go on, whatever the clock says. */
  #isSpoilt(kind: AuthorityKind, slot: AuthoritySlot): boolean {
    if (kind === 'x509') return this.#above.isLost(slot);
    if (this.#above.isKeyLost(kind, slot.authorityId)) return true;
    const keys = this.#book.bundles.own()[`${kind}Authorities`];
    return keys.some(({ kid, tainted }) => tainted && kid === slot.authorityId);
  }

  #wanted(authorityId: string): bigint {
    return this.#publishedIn.get(authorityId) ?? this.#book.bundles.own().sequence;
  }

  #pause(): number {
    const slots = this.#parts.kinds.flatMap((kind) => this.#book.slots[kind]);
    // A sixth of a life decides on activation; look several times within it.
    const tick = this.#isWaiting ? 1 : TICK;
    return Math.min(tick, ...slots.map(({ issuedAt, notAfter }) => (notAfter - issuedAt) / 30));
  }

  #require(kind: AuthorityKind): void {
    if (!this.#parts.kinds.includes(kind))
      throw new IssuerError('unimplemented', `${kind.toUpperCase()} functionality is disabled`);
    if (!this.#book.state(kind).active) throw new IssuerError('unavailable', 'server is initializing');
  }
}

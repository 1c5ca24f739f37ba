import {
  type AuthorityKind,
  type AuthoritySlot,
  type AuthoritySlots,
  type AuthorityState,
  activateAuthority,
  appendAuthorities,
  authorityState,
  freeSlot,
  IssuerError,
  NO_AUTHORITIES,
  prepareAuthority,
  pruneAuthorities,
  requireRevocable,
  revokeInBundle,
  shouldActivate,
  shouldPrepare,
  taintAuthority,
  taintInBundle,
} from '@steeple/core';
import type { Clock, Logger } from '@steeple/daemon';
import type { AuthorityJournal } from '@steeple/plugins';
import { type TrustBundle, X509Issuer } from '@steeple/spiffe';
import type { ActiveAuthorities } from './active-authorities.ts';
import { type AuthorityKeys, certificateOf, published } from './authority-keys.ts';
import type { Bundles } from './bundles.ts';
import { Serial } from './serial.ts';

/** The rotation looks at least this often, seconds. */
const TICK = 10;
/** No authority has an upstream yet. */
const CONTEXT = { hasUpstream: false };

/**
 * Makes, replaces and retires the authorities that sign.
 *
 * 1. An authority signs only after its slot and its place in the bundle were stored, in one transaction.
 * 2. Every change happens alone, one after the other.
 * 3. A slot counts only while the key manager holds that very key: a crash between the two leaves a slot without key
 *    (dropped) or a key without slot (overwritten by the next authority), and never one that signs unverifiably.
 * 4. The active slot is never overwritten; what leaves its slot stays in the bundle until it has expired.
 */
export class AuthorityRotation {
  readonly #kinds: readonly AuthorityKind[];
  readonly #journal: AuthorityJournal;
  readonly #keys: AuthorityKeys;
  readonly #bundles: Bundles;
  readonly #active: ActiveAuthorities;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #serial = new Serial();
  #slots: AuthoritySlots = NO_AUTHORITIES;

  constructor(parts: {
    kinds: readonly AuthorityKind[];
    journal: AuthorityJournal;
    keys: AuthorityKeys;
    bundles: Bundles;
    active: ActiveAuthorities;
    clock: Clock;
    logger: Logger;
  }) {
    this.#kinds = parts.kinds;
    this.#journal = parts.journal;
    this.#keys = parts.keys;
    this.#bundles = parts.bundles;
    this.#active = parts.active;
    this.#clock = parts.clock;
    this.#logger = parts.logger;
  }

  /** Takes up where the last run ended, or begins. Afterwards every kind can sign. */
  start(): Promise<void> {
    return this.#serial.run(async () => {
      this.#slots = await this.#journal.load();
      for (const kind of this.#kinds) await this.#recover(kind);
      for (const kind of this.#kinds) await this.#advance(kind);
    });
  }

  /** Prepares and activates when it is time, until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#clock.sleep(this.#pause(), signal);
      try {
        await this.tick();
      } catch (error) {
        // The active authorities go on; the next round tries again.
        this.#logger.error('Rotating the authorities failed', { error });
      }
    }
  }

  /** One look at the clock. */
  tick(): Promise<void> {
    return this.#serial.run(async () => {
      for (const kind of this.#kinds) await this.#advance(kind);
    });
  }

  /** @throws {IssuerError} `unavailable` before the first activation, `unimplemented` for a kind that is switched off */
  state(kind: AuthorityKind): AuthorityState {
    this.#require(kind);
    return authorityState(this.#slots, kind);
  }

  /** Makes a new authority beside the active one. */
  prepare(kind: AuthorityKind): Promise<AuthoritySlot> {
    this.#require(kind);
    return this.#serial.run(() => this.#prepare(kind));
  }

  /** Lets the prepared authority sign. @throws {IssuerError} with SPIRE's texts */
  activate(kind: AuthorityKind, authorityId: string): Promise<AuthoritySlot> {
    this.#require(kind);
    return this.#serial.run(() => this.#activate(kind, authorityId));
  }

  /** Marks the old authority as compromised. @throws {IssuerError} with SPIRE's texts */
  taint(kind: AuthorityKind, authorityId: string): Promise<AuthoritySlot> {
    this.#require(kind);
    return this.#serial.run(async () => {
      const slots = taintAuthority(this.#slots, kind, authorityId, CONTEXT);
      await this.#save(slots, (bundle) => taintInBundle(bundle, kind, authorityId));
      return this.#slot(kind, authorityId);
    });
  }

  /** Takes the tainted old authority out of the bundle. @throws {IssuerError} with SPIRE's texts */
  revoke(kind: AuthorityKind, authorityId: string): Promise<AuthoritySlot> {
    this.#require(kind);
    return this.#serial.run(async () => {
      requireRevocable(this.#slots, kind, authorityId, CONTEXT);
      await this.#save(this.#slots, (bundle) => revokeInBundle(bundle, kind, authorityId));
      return this.#slot(kind, authorityId);
    });
  }

  /** Drops slots whose key is gone, and publishes again what must be in the bundle. */
  async #recover(kind: AuthorityKind): Promise<void> {
    const kept: AuthoritySlot[] = [];
    for (const slot of this.#slots[kind]) {
      if (await this.#keys.find(slot)) kept.push(slot);
      else this.#logger.warn('The key of an authority is gone', { kind, slot: slot.slot, status: slot.status });
    }
    this.#slots = { ...this.#slots, [kind]: kept };
    const { active, prepared } = authorityState(this.#slots, kind);
    for (const slot of [active, prepared]) {
      if (slot) await this.#save(this.#slots, (bundle) => appendAuthorities(bundle, published(kind, slot)));
    }
    if (active) await this.#use(kind, active);
  }

  async #advance(kind: AuthorityKind): Promise<void> {
    const now = this.#clock.now();
    const pruned = pruneAuthorities(this.#slots, now);
    if (pruned !== this.#slots) await this.#save(pruned, (bundle) => bundle);
    const { active, prepared } = authorityState(this.#slots, kind);
    const usable = prepared && (await this.#keys.find(prepared)) ? prepared : undefined;
    if (!active) {
      const next = usable ?? (await this.#prepare(kind));
      await this.#activate(kind, next.authorityId);
      return;
    }
    const next = usable ?? (shouldPrepare(active, now) ? await this.#prepare(kind) : undefined);
    if (next && shouldActivate(active, now)) await this.#activate(kind, next.authorityId);
  }

  async #prepare(kind: AuthorityKind): Promise<AuthoritySlot> {
    const authority = await this.#keys.make(kind, freeSlot(this.#slots, kind), this.#clock.now());
    const slots = prepareAuthority(this.#slots, kind, authority);
    await this.#save(slots, (bundle) => appendAuthorities(bundle, published(kind, authority)));
    this.#logger.info('Authority prepared', {
      kind,
      authority_id: authority.authorityId,
      expires_at: authority.notAfter,
    });
    return this.#slot(kind, authority.authorityId);
  }

  async #activate(kind: AuthorityKind, authorityId: string): Promise<AuthoritySlot> {
    const slots = activateAuthority(this.#slots, kind, authorityId);
    const slot = slots[kind].find((one) => one.authorityId === authorityId);
    if (!slot || !(await this.#keys.find(slot)))
      throw new IssuerError('internal', 'the key of the prepared authority is gone');
    await this.#save(slots, (bundle) => bundle);
    await this.#use(kind, slot);
    this.#logger.info('Authority activated', { kind, authority_id: authorityId });
    return slot;
  }

  async #use(kind: AuthorityKind, slot: AuthoritySlot): Promise<void> {
    const key = await this.#keys.find(slot);
    if (!key) throw new IssuerError('internal', 'the key of the active authority is gone');
    if (kind === 'x509') this.#active.activateX509(new X509Issuer(key, certificateOf(slot)));
    else this.#active.activateToken(kind, { key: { kid: slot.authorityId, signer: key }, notAfter: slot.notAfter });
  }

  async #save(slots: AuthoritySlots, change: (bundle: TrustBundle) => TrustBundle): Promise<void> {
    const stored = this.#bundles.storedOwn();
    const bundle = change(this.#bundles.own());
    const unchanged = stored !== undefined && bundle.equals(stored);
    if (unchanged) await this.#journal.save(slots);
    else await this.#journal.save(slots, bundle, stored ? stored.sequence : 'absent');
    this.#slots = slots;
  }

  #slot(kind: AuthorityKind, authorityId: string): AuthoritySlot {
    const slot = this.#slots[kind].find((one) => one.authorityId === authorityId);
    if (!slot) throw new IssuerError('internal', 'the authority has left its slot');
    return slot;
  }

  #pause(): number {
    const lives = this.#kinds.flatMap((kind) => this.#slots[kind]).map(({ issuedAt, notAfter }) => notAfter - issuedAt);
    // A sixth of a life decides on activation; look several times within it.
    return Math.min(TICK, ...lives.map((life) => life / 30));
  }

  #require(kind: AuthorityKind): void {
    if (!this.#kinds.includes(kind))
      throw new IssuerError('unimplemented', `${kind.toUpperCase()} authorities are disabled`);
    if (!authorityState(this.#slots, kind).active) throw new IssuerError('unavailable', 'server is initializing');
  }
}

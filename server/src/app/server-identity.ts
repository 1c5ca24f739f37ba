import { createPublicKey } from 'node:crypto';
import { rotateAt, serverId } from '@steeple/core';
import type { Clock, Logger } from '@steeple/daemon';
import { type CallMeter, measureCall, noMetrics } from '@steeple/daemon/metrics';
import { generateKey, spkiOf, type TrustDomain, X509Svid, type X509SvidSource } from '@steeple/spiffe';
import type { Bundles } from './bundles.ts';
import type { CertificateAuthority } from './certificate-authority.ts';
import { type RandomBytes, random01 } from './randomness.ts';

/** The identity is looked at this often, seconds. */
const TICK = 5;

/** The server's own SVID, which its listener presents. Renewed at half life, and at once if its root is tainted. */
export class ServerIdentity implements X509SvidSource {
  readonly #trustDomain: TrustDomain;
  readonly #ca: CertificateAuthority;
  readonly #bundles: Bundles;
  readonly #clock: Clock;
  readonly #random: RandomBytes;
  readonly #logger: Logger;
  readonly #meter: CallMeter;
  #svid: X509Svid | undefined;
  #rotateAt = 0;
  #waiting: AbortController | undefined;

  constructor(
    trustDomain: TrustDomain,
    ca: CertificateAuthority,
    bundles: Bundles,
    rim: {
      readonly clock: Clock;
      readonly random: RandomBytes;
      readonly logger: Logger;
      readonly meter?: CallMeter | undefined;
    },
  ) {
    this.#trustDomain = trustDomain;
    this.#ca = ca;
    this.#bundles = bundles;
    this.#clock = rim.clock;
    this.#random = rim.random;
    this.#logger = rim.logger;
    this.#meter = rim.meter ?? { metrics: noMetrics, clock: rim.clock };
  }

  x509Svid(): X509Svid {
    if (!this.#svid) throw new Error('the server has no identity yet');
    return this.#svid;
  }

  /** Takes a new key and SVID. */
  rotate(): Promise<void> {
    return measureCall(this.#meter, 'svid.rotate', () => this.#rotate());
  }

  async #rotate(): Promise<void> {
    const privateKey = generateKey('ec-p256');
    const { chain, leaf } = await this.#ca.signX509({
      id: serverId(this.#trustDomain),
      spki: spkiOf(createPublicKey(privateKey)),
    });
    this.#svid = X509Svid.fromParts(chain, privateKey);
    // It is backdated; counting from now, a short one is not over half before it is used.
    const since = Math.max(leaf.notBefore, this.#clock.now());
    this.#rotateAt = rotateAt(since, leaf.notAfter, random01(this.#random));
    this.#logger.info('Server SVID rotated', { expires_at: leaf.notAfter });
  }

  /** The own bundle changed: what this SVID stands on may be compromised. */
  bundleChanged(): void {
    if (this.#isTainted()) this.#waiting?.abort();
  }

  /** Rotates when it is time, until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#nap(signal);
      if (this.#clock.now() < this.#rotateAt && !this.#isTainted()) continue;
      try {
        await this.rotate();
      } catch (error) {
        this.#logger.error('Rotating the server SVID failed', { error });
      }
    }
  }

  async #nap(signal: AbortSignal): Promise<void> {
    this.#waiting = new AbortController();
    const either = AbortSignal.any([signal, this.#waiting.signal]);
    await this.#clock.sleep(this.#pause(), either).catch((error: unknown) => {
      if (signal.aborted) throw error;
    });
  }

  #pause(): number {
    const life = this.#svid ? this.#svid.leaf.notAfter - this.#svid.leaf.notBefore : TICK;
    return Math.min(TICK, life / 10);
  }

  #isTainted(): boolean {
    const issuers = new Set(this.#svid?.chain.map(({ authorityKeyId }) => authorityKeyId));
    return this.#bundles
      .own()
      .x509Authorities.some(({ certificate, tainted }) => tainted && issuers.has(certificate.subjectKeyId));
  }
}

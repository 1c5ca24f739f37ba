import { randomBytes } from 'node:crypto';
import { IssuerError, type UpstreamTrust } from '@steeple/core';
import type { Clock } from '@steeple/daemon';
import type { MintedCa, UpstreamAuthority } from '@steeple/plugins';
import {
  type Certificate,
  generateKey,
  localSigner,
  readCsr,
  selfSignedCa,
  type TokenAuthority,
  X509Issuer,
} from '@steeple/spiffe';
import { TRUST_DOMAIN } from './test-server.ts';

/** An authority above in memory, which does as it is told; for tests only. */
export class FakeAbove implements UpstreamAuthority {
  readonly #clock: Clock;
  readonly keys: Record<'jwt' | 'wit', TokenAuthority[]> = { jwt: [], wit: [] };
  /** Compromised roots. */
  readonly marked = new Set<Certificate>();
  roots: Certificate[] = [];
  /** Thrown by every call while it is set. */
  failure: IssuerError | undefined;
  /** Changes what was signed before it is handed out. */
  spoil: (minted: MintedCa) => MintedCa = (minted) => minted;
  takesKeys = true;
  /** Whether it says what is compromised. */
  marks = true;
  #issuer: X509Issuer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Makes another root, which signs from now on. */
  async renew(): Promise<Certificate> {
    const signer = localSigner(generateKey('ec-p256'));
    const root = await selfSignedCa(signer, {
      trustDomain: TRUST_DOMAIN,
      subject: { organization: ['above'], serialNumber: randomBytes(4).toString('hex') },
      notBefore: this.#clock.now() - 60,
      notAfter: this.#clock.now() + 30 * 86_400,
      serial: randomBytes(16),
    });
    this.#issuer = new X509Issuer(signer, root);
    this.roots.push(root);
    return root;
  }

  get trust(): UpstreamTrust {
    const x509 = this.roots.map((certificate) => ({ certificate, tainted: this.marked.has(certificate) }));
    return { marks: this.marks, x509, jwt: [...this.keys.jwt], wit: [...this.keys.wit] };
  }

  async mintX509Ca(csr: Uint8Array, ttl: number): Promise<MintedCa> {
    if (this.failure) throw this.failure;
    const { spki, subject } = readCsr(csr);
    const issuer = this.#issuer ?? new X509Issuer(localSigner(generateKey('ec-p256')), await this.renew());
    const now = Math.floor(this.#clock.now());
    const certificate = await issuer.issueCa({
      id: TRUST_DOMAIN,
      spki,
      subject,
      notBefore: now - 10,
      notAfter: now + ttl,
      serial: randomBytes(16),
    });
    return this.spoil({ chain: [certificate], roots: this.trust.x509 });
  }

  async publishKey(kind: 'jwt' | 'wit', key: TokenAuthority): Promise<readonly TokenAuthority[]> {
    if (this.failure) throw this.failure;
    if (!this.takesKeys) throw new IssuerError('unimplemented', 'no place for keys');
    if (!this.keys[kind].some(({ kid }) => kid === key.kid)) this.keys[kind].push(key);
    return this.keys[kind];
  }

  async *watch(): AsyncGenerator<UpstreamTrust, void, undefined> {
    yield this.trust;
  }

  async close(): Promise<void> {}
}

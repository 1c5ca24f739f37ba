// Two trust domains and ports for the tests of this folder.
import type { AddressInfo, Server } from 'node:net';
import { BundleSet, type X509Svid, type X509SvidSource } from '@steeple/spiffe';
import { TestTrustDomain } from '../testing/test-trust-domain.ts';
import { systemNow } from '../time.ts';
import { authorizeAny } from './authorize.ts';

/** An X509SvidSource whose answer a test may change. */
export class SettableSvid implements X509SvidSource {
  current: X509Svid | undefined;

  constructor(current?: X509Svid) {
    this.current = current;
  }

  x509Svid(): X509Svid {
    if (this.current === undefined) throw new Error('no SVID at the moment');
    return this.current;
  }
}

export interface TwoDomains {
  readonly a: TestTrustDomain;
  readonly b: TestTrustDomain;
  /** Knows a.test only. */
  readonly onlyA: BundleSet;
  /** Knows both. */
  readonly both: BundleSet;
  /** a.test by name, with the roots of b.test in it. */
  readonly wrongRoots: BundleSet;
}

export async function twoDomains(): Promise<TwoDomains> {
  const [a, b] = await Promise.all([TestTrustDomain.create('a.test'), TestTrustDomain.create('b.test')]);
  return {
    a,
    b,
    onlyA: BundleSet.of(a.bundle),
    both: BundleSet.of(a.bundle, b.bundle),
    wrongRoots: BundleSet.of(a.bundle.with({ x509Authorities: b.bundle.x509Authorities })),
  };
}

/** Policy parts most tests share. */
export const anyone = { authorize: authorizeAny(), now: systemNow };

export async function listening<S extends Server>(server: S): Promise<S & { readonly port: number }> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(server, { port: (server.address() as AddressInfo).port });
}

export async function closed(server: Server): Promise<void> {
  await new Promise((resolve) => server.close(resolve));
}

/** Polls; the test's own time limit ends it. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 10));
}

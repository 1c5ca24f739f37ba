import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock } from '@steeple/daemon';
import { BundleSet, TrustDomain, toPem } from '@steeple/spiffe';
import { IN_MEMORY } from '../../datastore/sqlite/open.ts';
import { SqliteDatastore } from '../../datastore/sqlite/sqlite-datastore.ts';
import type { NodeVerifierHost } from '../../plugin.ts';
import { NOW } from '../x509pop/certificates-for-tests.ts';

/** Files and a server for tests of the cloud attestors. */
export class TestPlace implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'steeple-cloud-'));
  #files = 0;
  /** Unix seconds; moves when a test says so. */
  now = NOW;

  readonly host: NodeVerifierHost = {
    logger: silentLogger,
    clock: { ...systemClock, now: () => this.now },
    trustDomain: TrustDomain.parse('example.org'),
    bundles: new BundleSet(),
    joinTokens: SqliteDatastore.open(IN_MEMORY, silentLogger).joinTokens,
  };

  file(text: string): string {
    const path = join(this.#directory, String(++this.#files));
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  }

  certificateFile(...certificates: readonly { readonly raw: Uint8Array }[]): string {
    return this.file(certificates.map(({ raw }) => toPem('CERTIFICATE', raw)).join(''));
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true });
  }
}

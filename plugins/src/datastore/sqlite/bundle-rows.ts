import {
  parseCertificate,
  publicKeyFromSpki,
  type TokenAuthority,
  TrustBundle,
  TrustDomain,
  type X509Authority,
} from '@steeple/spiffe';
import { base64Of } from '../../base64.ts';
import type { Database } from './database.ts';

/** A row of the table `bundles`; the authorities are JSON lists. */
export interface BundleRow {
  readonly row: number;
  readonly trust_domain: string;
  /** Decimal text: SQLite's integers are signed. */
  readonly sequence: string;
  readonly refresh_hint: number;
  readonly x509_authorities: string;
  readonly jwt_authorities: string;
  readonly wit_authorities: string;
}

interface StoredCertificate {
  readonly der: string;
  readonly tainted: boolean;
}

interface StoredKey {
  readonly kid: string;
  readonly spki: string;
  readonly expiresAt: number;
  readonly tainted: boolean;
}

const UPSERT = `INSERT INTO bundles
  (trust_domain, sequence, refresh_hint, x509_authorities, jwt_authorities, wit_authorities) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (trust_domain) DO UPDATE SET sequence = excluded.sequence, refresh_hint = excluded.refresh_hint,
    x509_authorities = excluded.x509_authorities, jwt_authorities = excluded.jwt_authorities,
    wit_authorities = excluded.wit_authorities`;

/** Writes a bundle inside a transaction. */
export function upsertBundle(db: Database, bundle: TrustBundle): void {
  db.run(UPSERT, [
    bundle.trustDomain.name,
    bundle.sequence.toString(),
    bundle.refreshHint,
    JSON.stringify(bundle.x509Authorities.map(storedCertificate)),
    JSON.stringify(bundle.jwtAuthorities.map(storedKey)),
    JSON.stringify(bundle.witAuthorities.map(storedKey)),
  ]);
}

export function findBundle(db: Database, trustDomain: TrustDomain): TrustBundle | undefined {
  const row = db.get<BundleRow>('SELECT * FROM bundles WHERE trust_domain = ?', [trustDomain.name]);
  return row && toBundle(row);
}

export function toBundle(row: BundleRow): TrustBundle {
  return TrustBundle.of(TrustDomain.parse(row.trust_domain), {
    sequence: BigInt(row.sequence),
    refreshHint: row.refresh_hint,
    x509Authorities: (JSON.parse(row.x509_authorities) as StoredCertificate[]).map(toX509Authority),
    jwtAuthorities: (JSON.parse(row.jwt_authorities) as StoredKey[]).map(toTokenAuthority),
    witAuthorities: (JSON.parse(row.wit_authorities) as StoredKey[]).map(toTokenAuthority),
  });
}

function storedCertificate({ certificate, tainted }: X509Authority): StoredCertificate {
  return { der: base64Of(certificate.raw), tainted };
}

function storedKey({ kid, spki, expiresAt, tainted }: TokenAuthority): StoredKey {
  return { kid, spki: base64Of(spki), expiresAt, tainted };
}

function toX509Authority({ der, tainted }: StoredCertificate): X509Authority {
  return { certificate: parseCertificate(Buffer.from(der, 'base64')), tainted };
}

function toTokenAuthority({ kid, spki, expiresAt, tainted }: StoredKey): TokenAuthority {
  const bytes = Buffer.from(spki, 'base64');
  return { kid, publicKey: publicKeyFromSpki(bytes), spki: bytes, expiresAt, tainted };
}

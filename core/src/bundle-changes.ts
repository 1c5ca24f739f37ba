import { SpiffeError, type TokenAuthority, type TrustBundle, type X509Authority } from '@steeple/spiffe';
import type { AuthorityKind } from './authority.ts';
import { IssuerError } from './errors.ts';
import { LIFETIMES } from './lifetime.ts';

/** New authorities for a bundle. */
export interface AddedAuthorities {
  readonly x509?: readonly X509Authority[];
  readonly jwt?: readonly TokenAuthority[];
  readonly wit?: readonly TokenAuthority[];
}

/**
 * Adds authorities; those already there stay as they are. Like every change here, it returns the same bundle if nothing
 * changed, else one with the next sequence number.
 *
 * @throws {IssuerError} `invalid-argument` if a key id stands for another key already
 */
export function appendAuthorities(bundle: TrustBundle, added: AddedAuthorities): TrustBundle {
  try {
    return advance(bundle, {
      x509Authorities: [...bundle.x509Authorities, ...(added.x509 ?? [])],
      jwtAuthorities: [...bundle.jwtAuthorities, ...(added.jwt ?? [])],
      witAuthorities: [...bundle.witAuthorities, ...(added.wit ?? [])],
    });
  } catch (error) {
    if (!(error instanceof SpiffeError)) throw error;
    throw new IssuerError('invalid-argument', `unable to append authorities: ${error.message}`, { cause: error });
  }
}

/**
 * Removes authorities that expired more than a day ago. A list is never emptied: a bundle of expired authorities trusts
 * nothing, but an empty one is what a deleted trust domain looks like.
 */
export function pruneBundle(bundle: TrustBundle, now: number): TrustBundle {
  const before = now - LIFETIMES.expiredAuthorityKept;
  const keyStays = ({ expiresAt }: TokenAuthority) => expiresAt === 0 || expiresAt >= before;
  return advance(bundle, {
    x509Authorities: keepSome(bundle.x509Authorities, ({ certificate }) => certificate.notAfter >= before),
    jwtAuthorities: keepSome(bundle.jwtAuthorities, keyStays),
    witAuthorities: keepSome(bundle.witAuthorities, keyStays),
  });
}

/**
 * Marks an authority as compromised. The id is the subject key id in lower-case hex, or the key id of a token authority.
 *
 * @throws {IssuerError} `internal`, with SPIRE's texts, if it is not there or marked already
 */
export function taintInBundle(bundle: TrustBundle, kind: AuthorityKind, authorityId: string): TrustBundle {
  // Its words differ from those of a revocation, in SPIRE.
  const missing = kind === 'x509' ? 'no ca found with provided subject key ID' : TEXTS[kind].missing;
  return change(bundle, kind, authorityId, missing, (authority) => {
    if (authority.tainted) throw new IssuerError('internal', TEXTS[kind].alreadyTainted);
    return [{ ...authority, tainted: true }];
  });
}

/**
 * Removes a tainted authority.
 *
 * @throws {IssuerError} `internal`, with SPIRE's texts, if it is not there or not tainted
 */
export function revokeInBundle(bundle: TrustBundle, kind: AuthorityKind, authorityId: string): TrustBundle {
  return change(bundle, kind, authorityId, TEXTS[kind].missing, (authority) => {
    if (!authority.tainted) throw new IssuerError('internal', TEXTS[kind].untainted);
    return [];
  });
}

const TEXTS: Readonly<Record<AuthorityKind, { missing: string; untainted: string; alreadyTainted: string }>> = {
  x509: {
    missing: 'no root CA found with provided subject key ID',
    untainted: 'it is not possible to revoke an untainted root CA',
    alreadyTainted: 'root CA is already tainted',
  },
  jwt: tokenTexts('JWT'),
  wit: tokenTexts('WIT'),
};

function tokenTexts(kind: string) {
  return {
    missing: `no ${kind} Key found with provided key ID`,
    untainted: 'it is not possible to revoke an untainted key',
    alreadyTainted: 'key is already tainted',
  };
}

type Replace = <T extends { readonly tainted: boolean }>(authority: T) => T[];

function change(bundle: TrustBundle, kind: AuthorityKind, id: string, missing: string, replace: Replace): TrustBundle {
  const isX509 = ({ certificate }: X509Authority) => certificate.subjectKeyId === id;
  const isKey = ({ kid }: TokenAuthority) => kid === id;
  const found = kind === 'x509' ? bundle.x509Authorities.some(isX509) : keysOf(bundle, kind).some(isKey);
  if (!found) throw new IssuerError('internal', missing);
  if (kind === 'x509') return advance(bundle, { x509Authorities: replaceIn(bundle.x509Authorities, isX509, replace) });
  const keys = replaceIn(keysOf(bundle, kind), isKey, replace);
  return advance(bundle, kind === 'jwt' ? { jwtAuthorities: keys } : { witAuthorities: keys });
}

function keysOf(bundle: TrustBundle, kind: 'jwt' | 'wit'): readonly TokenAuthority[] {
  return kind === 'jwt' ? bundle.jwtAuthorities : bundle.witAuthorities;
}

function replaceIn<T extends { readonly tainted: boolean }>(
  list: readonly T[],
  is: (t: T) => boolean,
  by: Replace,
): T[] {
  return list.flatMap((item) => (is(item) ? by(item) : [item]));
}

function keepSome<T>(list: readonly T[], stays: (item: T) => boolean): readonly T[] {
  const kept = list.filter(stays);
  return kept.length === 0 ? list : kept;
}

/** The bundle with parts replaced and the next sequence number, or the same bundle if nothing is trusted differently. */
export function advance(bundle: TrustBundle, parts: Parameters<TrustBundle['with']>[0]): TrustBundle {
  const changed = bundle.with(parts);
  return changed.trustsSameAs(bundle) ? bundle : changed.with({ sequence: bundle.sequence + 1n });
}

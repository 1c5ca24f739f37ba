import { Code, GrpcError } from '@steeple/proto/grpc';
import type { types } from '@steeple/proto/server-api';
import type { syncV1 } from '@steeple/proto/steeple-api';
import {
  type Certificate,
  parseCertificate,
  publicKeyFromSpki,
  SpiffeError,
  SpiffeId,
  type TokenAuthority,
  TrustBundle,
  TrustDomain,
  tokenAuthority,
} from '@steeple/spiffe';
import type { AgentEntry } from './agent-entry.ts';
import type { IssuedToken, ItemResult, PushEvent } from './server-api.ts';

// The one file of the agent that knows both the server's messages and our values.

/** The entry, or undefined if it lacks what an agent needs of it. */
function readEntry(wire: types.Entry): AgentEntry | undefined {
  if (wire.id === '' || wire.spiffeId === undefined || wire.selectors.length === 0) return undefined;
  try {
    return {
      id: wire.id,
      spiffeId: readId(wire.spiffeId),
      selectors: wire.selectors.map(({ type, value }) => ({ type, value })),
      federatesWith: wire.federatesWith.map((name) => TrustDomain.fromIdOrName(name).name),
      admin: wire.admin,
      downstream: wire.downstream,
      storeSvid: wire.storeSvid,
      hint: wire.hint,
      disableX509SvidPrefetch: wire.additionalAttributes?.disableX509SvidPrefetch ?? false,
      jwtSvidIncludeJti: wire.additionalAttributes?.jwtSvidIncludeJti ?? false,
      revision: Number(wire.revisionNumber),
      createdAt: Number(wire.createdAt),
    };
  } catch (error) {
    if (error instanceof SpiffeError) return undefined;
    throw error;
  }
}

function readId(wire: types.SPIFFEID): SpiffeId {
  return SpiffeId.of(TrustDomain.parse(wire.trustDomain), wire.path);
}

/** A bundle of the trust domain that was asked for, whatever name the message bears being that one. */
export function readBundle(wire: types.Bundle, expected?: TrustDomain): TrustBundle {
  const trustDomain = TrustDomain.fromIdOrName(wire.trustDomain);
  if (expected !== undefined && !trustDomain.equals(expected)) {
    throw GrpcError.of(Code.INTERNAL, `the server sent the bundle of ${trustDomain.name} instead of ${expected.name}`);
  }
  return TrustBundle.of(trustDomain, {
    x509Authorities: wire.x509Authorities.map(({ asn1, tainted }) => ({
      certificate: parseCertificate(asn1),
      tainted,
    })),
    jwtAuthorities: wire.jwtAuthorities.flatMap(readKey),
    witAuthorities: wire.witAuthorities.flatMap(readKey),
    sequence: wire.sequenceNumber,
    refreshHint: Math.max(0, Number(wire.refreshHint)),
  });
}

/** Nothing for a kind of key we cannot verify with: the others still count. */
function readKey(wire: types.JWTKey | types.WITKey): TokenAuthority[] {
  try {
    const { expiresAt, tainted } = wire;
    return [tokenAuthority(wire.keyId, publicKeyFromSpki(wire.publicKey), { expiresAt: Number(expiresAt), tainted })];
  } catch (error) {
    if (error instanceof SpiffeError && error.code === 'unsupported-key') return [];
    throw error;
  }
}

/** @throws GrpcError `INTERNAL` if there is no certificate */
export function readChain(wire: types.X509SVID | undefined): readonly Certificate[] {
  const chain = wire?.certChain.map((der) => parseCertificate(der)) ?? [];
  if (chain.length === 0) throw GrpcError.of(Code.INTERNAL, 'the server sent an SVID without certificates');
  return chain;
}

export function readToken(wire: types.JWTSVID | types.WITSVID | undefined): IssuedToken {
  if (wire === undefined || wire.token === '' || wire.expiresAt === 0n || wire.issuedAt === 0n) {
    throw GrpcError.of(Code.INTERNAL, 'the server sent an incomplete token');
  }
  return { token: wire.token, issuedAt: Number(wire.issuedAt), expiresAt: Number(wire.expiresAt) };
}

/** One item of a batch; an unset status means OK. */
export function readItem<T>(status: types.Status | undefined, read: () => T): ItemResult<T> {
  if (status !== undefined && status.code !== 0) return { ok: false, code: status.code, message: status.message };
  try {
    return { ok: true, value: read() };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { ok: false, code: Code.INTERNAL, message };
  }
}

/** Undefined for a kind of announcement that a newer server invented. */
export function readPush(wire: syncV1.WatchResponse, skipped: (id: string) => void): PushEvent | undefined {
  switch (wire.event.case) {
    case 'ready':
      return { kind: 'ready' };
    case 'resync':
      return { kind: 'resync' };
    case 'changes': {
      const { entries, removedEntryIds, bundles } = wire.event.value;
      return {
        kind: 'changes',
        entries: readEntries(entries, skipped),
        removedEntryIds,
        bundles: bundles.map((bundle) => readBundle(bundle)),
      };
    }
    case undefined:
      return undefined;
  }
}

/** The entries that make sense; `skipped` hears of the others. */
export function readEntries(wire: readonly types.Entry[], skipped: (id: string) => void): AgentEntry[] {
  return wire.flatMap((one) => {
    const entry = readEntry(one);
    if (entry === undefined) skipped(one.id);
    return entry ?? [];
  });
}

import { type AuthorityKind, IssuerError } from '@steeple/core';
import type { CallContext, Handlers } from '@steeple/proto/grpc';
import type { localauthorityV1 } from '@steeple/proto/server-api';
import type { AuthorityRotation } from '../app/authority-rotation.ts';
import type { AuthorityTaints, NamedAuthority } from '../app/authority-taints.ts';
import { auditItem } from './audit.ts';
import { wireTime } from './translate/number.ts';

interface AuthorityUse {
  readonly rotation: AuthorityRotation;
  readonly taints: AuthorityTaints;
}

/** spire.api.server.localauthority.v1.LocalAuthority, the same five verbs for each kind of authority. */
export const localAuthorityHandlers = (use: AuthorityUse): Handlers<typeof localauthorityV1.LocalAuthority> => {
  const x509 = verbs(use, 'x509');
  const jwt = verbs(use, 'jwt');
  const wit = verbs(use, 'wit');
  return {
    getX509AuthorityState: x509.state,
    prepareX509Authority: x509.prepare,
    activateX509Authority: x509.activate,
    taintX509Authority: x509.taint,
    revokeX509Authority: x509.revoke,
    getJWTAuthorityState: jwt.state,
    prepareJWTAuthority: jwt.prepare,
    activateJWTAuthority: jwt.activate,
    taintJWTAuthority: jwt.taint,
    revokeJWTAuthority: jwt.revoke,
    getWITAuthorityState: wit.state,
    prepareWITAuthority: wit.prepare,
    activateWITAuthority: wit.activate,
    taintWITAuthority: wit.taint,
    revokeWITAuthority: wit.revoke,
    async taintX509UpstreamAuthority({ subjectKeyId }, ctx) {
      auditItem(ctx, { subject_key_id: subjectKeyId });
      return { upstreamAuthoritySubjectKeyId: await use.taints.taintUpstream(subjectKeyId) };
    },
    async revokeX509UpstreamAuthority({ subjectKeyId }, ctx) {
      auditItem(ctx, { subject_key_id: subjectKeyId });
      return { upstreamAuthoritySubjectKeyId: await use.taints.revokeUpstream(subjectKeyId) };
    },
  };
};

const verbs = ({ rotation, taints }: AuthorityUse, kind: AuthorityKind) => ({
  state: async () => {
    const { active, prepared, old } = rotation.state(kind);
    return {
      ...(active && { active: wireState(active) }),
      ...(prepared && { prepared: wireState(prepared) }),
      ...(old && { old: wireState(old) }),
    };
  },
  prepare: async () => {
    rotation.state(kind);
    const prepared = await prefixed(`failed to prepare ${NAMES[kind]}`, () => rotation.prepare(kind));
    return { preparedAuthority: wireState(prepared) };
  },
  activate: async ({ authorityId }: Named, ctx: CallContext) => {
    audit(ctx, authorityId);
    return { activatedAuthority: wireState(await rotation.activate(kind, authorityId, ctx.signal)) };
  },
  taint: async ({ authorityId }: Named, ctx: CallContext) => {
    audit(ctx, authorityId);
    rotation.state(kind);
    const tainted = await taints.taint(kind, authorityId);
    // Of tokens SPIRE tells the id only.
    return { taintedAuthority: wireState(kind === 'x509' ? tainted : { authorityId }) };
  },
  revoke: async ({ authorityId }: Named, ctx: CallContext) => {
    audit(ctx, authorityId);
    rotation.state(kind);
    await taints.revoke(kind, authorityId);
    return { revokedAuthority: wireState({ authorityId }) };
  },
});

const NAMES: Readonly<Record<AuthorityKind, string>> = {
  x509: 'X.509 authority',
  jwt: 'JWT authority',
  wit: 'WIT authority',
};

/** Whatever kept the authority from being made, SPIRE answers Internal. */
const prefixed = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof IssuerError)) throw cause;
    throw new IssuerError('internal', `${what}: ${cause.message}`, { cause });
  }
};

interface Named {
  readonly authorityId: string;
}

const audit = (ctx: CallContext, authorityId: string): void => {
  if (authorityId !== '') auditItem(ctx, { local_authority_id: authorityId });
};

const wireState = ({ authorityId, notAfter = 0, upstreamAuthorityId = '' }: NamedAuthority) => ({
  authorityId,
  expiresAt: wireTime(notAfter),
  upstreamAuthoritySubjectKeyId: upstreamAuthorityId,
});

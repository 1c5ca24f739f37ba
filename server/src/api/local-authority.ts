import { type AuthorityKind, type AuthoritySlot, IssuerError } from '@steeple/core';
import type { Handlers } from '@steeple/proto/grpc';
import type { localauthorityV1 } from '@steeple/proto/server-api';
import type { AuthorityRotation } from '../app/authority-rotation.ts';
import { wireTime } from './translate/number.ts';

/**
 * spire.api.server.localauthority.v1.LocalAuthority, the same five verbs for each kind of authority. The two calls about
 * upstream authorities need an upstream, which does not exist yet.
 */
export const localAuthorityHandlers = (use: {
  rotation: AuthorityRotation;
}): Handlers<typeof localauthorityV1.LocalAuthority> => {
  const x509 = verbs(use.rotation, 'x509');
  const jwt = verbs(use.rotation, 'jwt');
  const wit = verbs(use.rotation, 'wit');
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
    taintX509UpstreamAuthority: noUpstream,
    revokeX509UpstreamAuthority: noUpstream,
  };
};

const noUpstream = async (): Promise<never> => {
  throw new IssuerError('failed-precondition', 'upstream authority is not configured');
};

const verbs = (rotation: AuthorityRotation, kind: AuthorityKind) => ({
  state: async () => {
    const { active, prepared, old } = rotation.state(kind);
    return {
      ...(active && { active: wireState(active) }),
      ...(prepared && { prepared: wireState(prepared) }),
      ...(old && { old: wireState(old) }),
    };
  },
  prepare: async () => ({ preparedAuthority: wireState(await rotation.prepare(kind)) }),
  activate: async ({ authorityId }: Named) => ({
    activatedAuthority: wireState(await rotation.activate(kind, authorityId)),
  }),
  taint: async ({ authorityId }: Named) => ({ taintedAuthority: wireState(await rotation.taint(kind, authorityId)) }),
  revoke: async ({ authorityId }: Named) => ({ revokedAuthority: wireState(await rotation.revoke(kind, authorityId)) }),
});

interface Named {
  readonly authorityId: string;
}

const wireState = (slot: AuthoritySlot) => ({
  authorityId: slot.authorityId,
  expiresAt: wireTime(slot.notAfter),
  upstreamAuthoritySubjectKeyId: slot.upstreamAuthorityId ?? '',
});

import type { types } from '@steeple/proto/server-api';
import { parseCertificate } from '@steeple/spiffe';
import type { AuthorityKind } from '../../authority-kind.ts';

/** Whether the trust bundle has an authority, and whether it is marked as compromised there. */
export type Published = 'trusted' | 'tainted' | 'absent';

export function publishedAs(bundle: types.Bundle, kind: AuthorityKind, authorityId: string): Published {
  const found = authoritiesOf(bundle, kind).find(({ id }) => id === authorityId);
  if (found === undefined) return 'absent';
  return found.tainted ? 'tainted' : 'trusted';
}

function authoritiesOf(bundle: types.Bundle, kind: AuthorityKind) {
  if (kind === 'x509') {
    return bundle.x509Authorities.map(({ asn1, tainted }) => ({ id: parseCertificate(asn1).subjectKeyId, tainted }));
  }
  const keys = kind === 'jwt' ? bundle.jwtAuthorities : bundle.witAuthorities;
  return keys.map(({ keyId, tainted }) => ({ id: keyId, tainted }));
}

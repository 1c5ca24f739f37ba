import type { MessageInitShape } from '@bufbuild/protobuf';
import type { types } from '@steeple/proto/server-api';
import type { SignedToken, SignedX509 } from '../../app/certificate-authority.ts';
import { wireTime } from './number.ts';
import { wireId } from './spiffe-id.ts';

export const wireX509Svid = ({ id, chain, expiresAt }: SignedX509): MessageInitShape<typeof types.X509SVIDSchema> => ({
  id: wireId(id),
  certChain: chain.map((certificate) => Uint8Array.from(certificate.raw)),
  expiresAt: wireTime(expiresAt),
});

/** For JWT-SVIDs and WIT-SVIDs, whose messages have the same fields. */
export const wireTokenSvid = ({
  id,
  token,
  issuedAt,
  expiresAt,
}: SignedToken): Omit<types.JWTSVID, '$typeName' | '$unknown' | 'id'> & { id: ReturnType<typeof wireId> } => ({
  id: wireId(id),
  token,
  hint: '',
  issuedAt: wireTime(issuedAt),
  expiresAt: wireTime(expiresAt),
});

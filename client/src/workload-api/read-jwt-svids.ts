import type { JWTSVIDResponse, ValidateJWTSVIDResponse } from '@steeple/proto/workload';
import { type JwtSvid, parseJwtSvidUnverified, SpiffeId } from '@steeple/spiffe';
import { firstOfHint } from './first-of-hint.ts';
import { invalidResponse, mandatory, reading } from './invalid-response.ts';

/**
 * Our own JWT-SVIDs: from our agent over a trusted channel, so the signature is not ours to check, but the token must be
 * what was asked for.
 *
 * @throws ClientError `invalid-response`
 */
export function readJwtSvids(message: JWTSVIDResponse, audience: readonly string[], now: number): JwtSvid[] {
  if (message.svids.length === 0) throw invalidResponse('no JWT-SVIDs');
  const svids = message.svids.map(({ spiffeId, svid, hint }) => {
    mandatory(spiffeId, 'spiffe_id');
    mandatory(svid, 'svid');
    return reading('JWT-SVID', () => {
      const id = SpiffeId.parse(spiffeId);
      const token = parseJwtSvidUnverified(svid, audience, { now, hint });
      if (!token.id.equals(id))
        throw invalidResponse(`spiffe_id is ${id.toString()}, the token's is ${token.id.toString()}`);
      return token;
    });
  });
  return firstOfHint(svids);
}

/** A JWT-SVID of a peer that the agent found valid. */
export interface ValidatedJwtSvid {
  readonly id: SpiffeId;
  /** The claims as the agent gives them; the SPIFFE ones (`sub`, `aud`, `exp`) are there. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/** The agent's verdict. @throws ClientError `invalid-response` */
export function readValidation(message: ValidateJWTSVIDResponse): ValidatedJwtSvid {
  const { claims } = message;
  if (claims === undefined || Object.keys(claims).length === 0) throw invalidResponse('claims is empty');
  const id = reading('spiffe_id', () => SpiffeId.parse(mandatory(message.spiffeId, 'spiffe_id')));
  if (claims['sub'] !== undefined && claims['sub'] !== id.toString()) {
    throw invalidResponse('spiffe_id and the claim "sub" differ');
  }
  return { id, claims };
}

import { type ChannelCredentials, credentials, Metadata } from '@grpc/grpc-js';
import { requireServiceAudience } from '../requests/service-audience.ts';
import type { JwtSource } from './jwt-source.ts';

/**
 * Channel credentials that also present a JWT-SVID for `audience` with each call (JWT-SVID section 5.3). There is no call
 * credential to hand out alone, because grpc-js would send one that is given to a single call over an unprotected channel
 * too (JWT-SVID section 7.3).
 *
 * @throws TypeError for an audience that is no single service
 * @throws Error for insecure channel credentials
 */
export function jwtChannelCredentials(
  channel: ChannelCredentials,
  source: Pick<JwtSource, 'headers'>,
  audience: string,
): ChannelCredentials {
  requireServiceAudience(audience);
  return channel.compose(
    credentials.createFromMetadataGenerator((_call, done) => void present(source, audience, done)),
  );
}

async function present(source: Pick<JwtSource, 'headers'>, audience: string, done: Done): Promise<void> {
  const metadata = new Metadata();
  try {
    const { authorization } = await source.headers(audience);
    metadata.set('authorization', authorization);
  } catch (error) {
    return done(error as Error);
  }
  done(null, metadata);
}

type Done = (error: Error | null, metadata?: Metadata) => void;

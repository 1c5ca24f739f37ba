import { type CallCredentials, credentials, Metadata } from '@grpc/grpc-js';
import type { JwtSource } from './jwt-source.ts';

/**
 * Presents a JWT-SVID for `audience` with each call (JWT-SVID section 5.3). To be composed with channel credentials; grpc-js
 * sends call credentials over secure channels only.
 */
export function jwtCallCredentials(source: JwtSource, audience: string): CallCredentials {
  return credentials.createFromMetadataGenerator((_call, done) => void present(source, audience, done));
}

async function present(source: JwtSource, audience: string, done: Done): Promise<void> {
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

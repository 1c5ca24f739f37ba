import { readCsr, SpiffeError } from '@steeple/spiffe';

/** The key whose possession a signing request proves, or why the request is refused. */
export type RequestKey =
  | { readonly spki: Uint8Array }
  | { readonly refused: 'malformed' | 'signature' | 'missing'; readonly message: string };

/** Reads one signing request and checks its signature. Never throws for what a client may have sent. */
export const requestKey = (der: Uint8Array): RequestKey => {
  if (der.length === 0) return { refused: 'missing', message: '' };
  try {
    return { spki: readCsr(der).spki };
  } catch (cause) {
    if (!(cause instanceof SpiffeError)) throw cause;
    return { refused: cause.reason === 'signature' ? 'signature' : 'malformed', message: cause.message };
  }
};

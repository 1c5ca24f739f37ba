import type { TlsOptions } from 'node:tls';
import { hardened } from '@steeple/client/tls';

/** TLS of bundle endpoints: Mozilla's "intermediate" configuration, guidelines 6.0 (SPIFFE Federation 5). */
export const ENDPOINT_TLS: TlsOptions = { ...hardened, ecdhCurve: 'X25519MLKEM768:X25519:prime256v1:secp384r1' };

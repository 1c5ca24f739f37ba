import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';

/**
 * What TLS is held to wherever this project speaks it, as Mozilla's "intermediate" configuration has it: TLS 1.2 with forward
 * secrecy and AEAD, and 1.3. No tickets, because a resumed session skips certificates; no renegotiation, because it could
 * change the certificate after it was checked.
 */
export const hardened: SecureContextOptions = {
  minVersion: 'TLSv1.2',
  ciphers: [
    'TLS_AES_128_GCM_SHA256',
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
  ].join(':'),
  secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
};

import { constants } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { TlsOptions } from 'node:tls';
import { type CertificateAndKey, CertificateFiles, type Clock, ConfigError, type Logger } from '@steeple/daemon';
import type { EndpointIdentity, UnboundEndpoint } from './bundle-endpoint.ts';

type WebIdentity = Exclude<EndpointIdentity, { kind: 'svid' }>;

/** Mozilla's "intermediate" configuration, guidelines 6.0 (SPIFFE Federation 5). */
const TLS: TlsOptions = {
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
  ecdhCurve: 'X25519MLKEM768:X25519:prime256v1:secp384r1',
  secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
};

/** An HTTPS server with a certificate of the Web. @throws {ConfigError} when there is none to serve */
export const webEndpoint = async (
  identity: WebIdentity,
  handler: RequestListener,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Promise<UnboundEndpoint> => {
  if (identity.kind === 'acme') throw notYet();
  const serve = (pair: CertificateAndKey): void => server.setSecureContext({ ...TLS, ...pair });
  const files = await CertificateFiles.load(
    {
      certFile: identity.certFile,
      keyFile: identity.keyFile,
      settings: {
        cert: `${SETTING}.serving_cert_file.cert_file_path`,
        key: `${SETTING}.serving_cert_file.key_file_path`,
      },
    },
    logger,
    serve,
  );
  const server = createServer({ ...TLS, ...files.current }, handler);
  return { server, keepFresh: (signal) => files.run(clock, identity.interval, signal) };
};

const SETTING = 'server.federation.bundle_endpoint.profile.https_web';

const notYet = (): ConfigError =>
  new ConfigError([
    { path: `${SETTING}.acme`, message: 'certificates by ACME are not supported yet; use serving_cert_file' },
  ]);

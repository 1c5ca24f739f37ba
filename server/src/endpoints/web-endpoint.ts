import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import { type CertificateAndKey, CertificateFiles, type Clock, ConfigError, type Logger } from '@steeple/daemon';
import type { EndpointIdentity, UnboundEndpoint } from './bundle-endpoint.ts';
import { ENDPOINT_TLS as TLS } from './endpoint-tls.ts';

type WebIdentity = Exclude<EndpointIdentity, { kind: 'svid' }>;

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

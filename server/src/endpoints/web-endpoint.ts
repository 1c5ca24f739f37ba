import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import { type CertificateAndKey, CertificateFiles } from '@steeple/daemon';
import { type AcmeEndpointParts, acmeEndpoint } from './acme/acme-endpoint.ts';
import { ENDPOINT_TLS as TLS } from './endpoint-tls.ts';
import type { EndpointIdentity, UnboundEndpoint } from './unbound-endpoint.ts';

type WebIdentity = Exclude<EndpointIdentity, { kind: 'svid' }>;

/** An HTTPS server with a certificate of the Web. @throws {ConfigError} when there is none to serve */
export const webEndpoint = async (
  identity: WebIdentity,
  handler: RequestListener,
  parts: AcmeEndpointParts,
): Promise<UnboundEndpoint> => {
  if (identity.kind === 'acme') return acmeEndpoint(identity, handler, parts);
  const { clock, logger } = parts;
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

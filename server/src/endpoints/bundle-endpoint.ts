import type { RequestListener } from 'node:http';
import { type Clock, type Logger, type TaskFunction } from '@steeple/daemon';
import { type HttpPort, listenHttp } from '@steeple/daemon/listen';
import { formatBundleDocument, type TrustBundle, type X509SvidSource } from '@steeple/spiffe';
import { spiffeEndpoint } from './spiffe-endpoint.ts';
import type { EndpointIdentity } from './unbound-endpoint.ts';
import { webEndpoint } from './web-endpoint.ts';

export interface BundleEndpointSettings {
  readonly address: string;
  readonly port: number;
  /** Seconds after which consumers shall ask again. */
  readonly refreshHint: number;
  readonly identity: EndpointIdentity;
}

export interface BundleEndpointParts {
  readonly settings: BundleEndpointSettings;
  /** The bundle of the moment. */
  readonly bundle: () => TrustBundle;
  /** Whether WIT authorities are published too. */
  readonly wit: boolean;
  readonly svid: X509SvidSource;
  readonly dataDir: string;
  /** PEM certificates of the authorities that vouch for an ACME server. */
  readonly webRoots: () => readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A running endpoint. */
export interface BundleEndpoint extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
  /** Keeps its certificate fresh; to be run as long as it listens. */
  readonly keepFresh: TaskFunction | undefined;
}

/**
 * Publishes the own bundle over HTTPS (SPIFFE Federation 5.2): anybody may ask, nobody is asked who it is.
 *
 * @throws {ConfigError} when the port or the certificate cannot be had
 */
export const serveBundle = async (parts: BundleEndpointParts): Promise<BundleEndpoint> => {
  const { settings, logger } = parts;
  const handler = bundleHandler(parts);
  const { server, listener, keepFresh } =
    settings.identity.kind === 'svid'
      ? spiffeEndpoint(parts.svid, handler)
      : await webEndpoint(settings.identity, handler, parts);
  const port: HttpPort = await listenHttp(server, {
    host: settings.address,
    port: settings.port,
    listener,
    settings: {
      host: 'server.federation.bundle_endpoint.address',
      port: 'server.federation.bundle_endpoint.port',
    },
  });
  if (settings.refreshHint >= 86_400) {
    logger.warn('The refresh hint is long: others will learn late of new and of compromised authorities', {
      refresh_hint: settings.refreshHint,
    });
  }
  logger.info('Publishing the bundle', {
    address: port.address,
    port: port.port,
    profile: settings.identity.kind === 'svid' ? 'https_spiffe' : 'https_web',
  });
  return { address: port.address, port: port.port, keepFresh, [Symbol.asyncDispose]: () => port.close() };
};

/** `GET /` and nothing else, as SPIRE. */
const bundleHandler = ({ settings, bundle, wit, logger }: BundleEndpointParts): RequestListener => {
  let written: { readonly of: TrustBundle; readonly text: string } | undefined;
  const document = (): string => {
    const own = bundle();
    if (written?.of !== own) {
      const text = formatBundleDocument(own.with({ refreshHint: settings.refreshHint }), { wit });
      written = { of: own, text };
    }
    return written.text;
  };
  return (request, response) => {
    response.setHeader('strict-transport-security', 'max-age=63072000');
    const [path] = (request.url ?? '').split('?');
    if (request.method !== 'GET') return void response.writeHead(405, { allow: 'GET' }).end();
    if (path !== '/') return void response.writeHead(404).end();
    try {
      const headers = { 'content-type': 'application/json', 'cache-control': 'no-cache' };
      response.writeHead(200, headers).end(document());
    } catch (error) {
      logger.error('The bundle cannot be published', { error });
      response.writeHead(500).end();
    }
  };
};

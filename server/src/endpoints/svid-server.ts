import type { RequestListener } from 'node:http';
import type { Server } from 'node:https';
import { authorizeAny, authorizeOneOf, createHttpsServer } from '@steeple/client/tls';
import { type Clock, ConfigError } from '@steeple/daemon';
import { type BundleSource, SpiffeError, SpiffeId, type X509SvidSource } from '@steeple/spiffe';

/**
 * An HTTPS server with the server's own SVID. With SPIFFE IDs only their holders are admitted, without any everybody is.
 *
 * @throws {ConfigError} for an id that is none
 */
export const svidServer = (
  authorized: readonly string[],
  handler: RequestListener,
  parts: { readonly identity: X509SvidSource; readonly bundles: BundleSource; readonly clock: Clock },
): Server => {
  const ids = authorized.map(parseId);
  return createHttpsServer(
    {
      svid: parts.identity,
      bundles: parts.bundles,
      authorize: ids.length === 0 ? authorizeAny() : authorizeOneOf(ids),
      clientCertificate: ids.length === 0 ? 'none' : 'required',
      now: () => parts.clock.now(),
    },
    handler,
  );
};

const parseId = (text: string): SpiffeId => {
  try {
    return SpiffeId.parse(text);
  } catch (error) {
    if (!(error instanceof SpiffeError)) throw error;
    throw new ConfigError([{ path: 'telemetry.Prometheus.tls.authorized_spiffe_ids', message: error.message }]);
  }
};

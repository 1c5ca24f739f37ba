import { readFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import { CertificateFiles } from '../certificate-files.ts';
import type { Clock } from '../clock.ts';
import { ConfigError } from '../config-error.ts';
import { reasonOf } from '../files.ts';
import type { Logger } from '../logger.ts';
import type { TaskFunction } from '../task-group.ts';
import type { PrometheusTls } from './telemetry-schema.ts';

/** Makes an HTTPS server that presents the process' own SVID, and admits only these SPIFFE IDs if there are any. */
export type CreateSpiffeServer = (authorized: readonly string[], handler: RequestListener) => Server;

export interface MetricsTlsParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly createSpiffeServer: CreateSpiffeServer;
}

const SETTING = 'telemetry.Prometheus.tls';
/** Seconds between two looks at the certificate files. */
const LOOK = 60;

/** The server behind the Prometheus port. @throws {ConfigError} when what the block names is not usable */
export const metricsTlsServer = async (
  tls: PrometheusTls,
  handler: RequestListener,
  { clock, logger, createSpiffeServer }: MetricsTlsParts,
): Promise<{ readonly server: Server; readonly keepFresh?: TaskFunction }> => {
  const { cert_file: certFile, key_file: keyFile, client_ca_file: clientCa } = tls;
  if (certFile === undefined || keyFile === undefined) {
    return { server: createSpiffeServer(tls.authorized_spiffe_ids, handler) };
  }
  const common = {
    minVersion: 'TLSv1.2',
    ...(clientCa !== undefined && { ca: await contentOf(clientCa), requestCert: true, rejectUnauthorized: true }),
  } as const;
  const files = await CertificateFiles.load(
    { certFile, keyFile, settings: { cert: `${SETTING}.cert_file`, key: `${SETTING}.key_file` } },
    logger,
    (pair) => server.setSecureContext({ ...common, ...pair }),
  );
  const server = createServer({ ...common, ...files.current }, handler);
  return { server, keepFresh: (signal) => files.run(clock, LOOK, signal) };
};

const contentOf = (path: string): Promise<string> =>
  readFile(path, 'utf8').catch((cause: unknown) => {
    const message = `cannot read ${path}: ${reasonOf(cause)}`;
    throw new ConfigError([{ path: `${SETTING}.client_ca_file`, message }], { cause });
  });

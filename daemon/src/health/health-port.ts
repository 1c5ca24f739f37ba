import { createServer, type RequestListener } from 'node:http';
import { type HttpPort, listenHttp } from '../listen/http-port.ts';
import type { HealthChecks } from './health-checks.ts';
import type { HealthCheckSettings } from './health-schema.ts';

/**
 * Serves liveness and readiness to orchestrators: 200 or 500, and a JSON map of parts to details.
 *
 * @throws {ConfigError} when the port cannot be had
 */
export const serveHealth = (checks: HealthChecks, settings: HealthCheckSettings): Promise<HttpPort> =>
  listenHttp(createServer(handler(checks, settings)), {
    host: settings.bind_address,
    port: settings.bind_port,
    settings: { host: 'health_checks.bind_address', port: 'health_checks.bind_port' },
  });

const handler =
  (checks: HealthChecks, settings: HealthCheckSettings): RequestListener =>
  (request, response) => {
    const [path = ''] = (request.url ?? '').split('?');
    const asked = path === settings.live_path ? 'live' : path === settings.ready_path ? 'ready' : undefined;
    if (asked === undefined) {
      response.writeHead(404).end();
      return;
    }
    const body = `${JSON.stringify(checks.details(asked))}\n`;
    response.writeHead(checks[asked] ? 200 : 500, { 'content-type': 'application/json' }).end(body);
  };

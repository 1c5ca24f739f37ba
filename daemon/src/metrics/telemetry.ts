import { createServer, type RequestListener } from 'node:http';
import type { Middleware } from '@steeple/proto/grpc';
import { type Clock } from '../clock.ts';
import { type HttpPort, listenHttp } from '../listen/http-port.ts';
import type { Logger } from '../logger.ts';
import type { TaskFunction } from '../task-group.ts';
import { measureCalls } from './measure-calls.ts';
import { metricFilter } from './metric-filter.ts';
import { type Metrics, noMetrics } from './metrics.ts';
import { PrometheusSink } from './prometheus-sink.ts';
import { SeriesBook } from './series-book.ts';
import { StatsdSink } from './statsd-sink.ts';
import type { TelemetrySettings } from './telemetry-schema.ts';
import { type CreateSpiffeServer, metricsTlsServer } from './tls-server.ts';

/** Seconds between two reports of the uptime. */
const UPTIME = 10;

/** What a process says of itself when it starts to count. */
export interface TelemetryParts {
  /** Without it nothing is counted. */
  readonly settings: TelemetrySettings | undefined;
  /** `spire_server` or `spire_agent`. */
  readonly prefix: string;
  readonly trustDomain: string;
  readonly hostname: string;
  readonly version: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Asked when the metrics shall be served with the process' own SVID. */
  readonly createSpiffeServer: CreateSpiffeServer;
}

/** The numbers of a process and the ways they leave it. */
export class Telemetry implements AsyncDisposable {
  readonly metrics: Metrics;
  readonly #parts: TelemetryParts;
  readonly #prometheus: PrometheusSink | undefined;
  readonly #statsd: readonly StatsdSink[];
  #port: HttpPort | undefined;
  #keepFresh: TaskFunction | undefined;

  constructor(parts: TelemetryParts) {
    const { settings, clock, logger } = parts;
    this.#parts = parts;
    this.#prometheus = settings?.Prometheus && new PrometheusSink(logger, () => clock.monotonic());
    this.#statsd = (['Statsd', 'DogStatsd'] as const).flatMap((kind) =>
      (settings?.[kind] ?? []).map(
        ({ address }) => new StatsdSink({ ...address, dialect: kind === 'Statsd' ? 'statsd' : 'dogstatsd' }),
      ),
    );
    const sinks = [...(this.#prometheus ? [this.#prometheus] : []), ...this.#statsd];
    this.metrics = settings === undefined || sinks.length === 0 ? noMetrics : bookOf(parts, settings, sinks);
  }

  /** Whether anything is counted at all. */
  get isOn(): boolean {
    return this.metrics !== noMetrics;
  }

  /** For the outside of a gRPC host: nothing when nothing is counted, so that calls cost nothing then. */
  middleware(): readonly Middleware[] {
    return this.isOn ? [measureCalls({ metrics: this.metrics, clock: this.#parts.clock })] : [];
  }

  /** Where Prometheus may ask; undefined without its block, and before `start`. */
  get address(): { readonly address: string; readonly port: number } | undefined {
    return this.#port;
  }

  /** Opens the port for Prometheus. @throws {ConfigError} */
  async start(): Promise<void> {
    const { settings, trustDomain, version, logger } = this.#parts;
    this.metrics.gauge('started', 1, { version, trust_domain_id: trustDomain });
    const prometheus = this.#prometheus;
    if (prometheus === undefined || settings?.Prometheus === undefined) return;
    const { host, port, tls } = settings.Prometheus;
    const handler = scrapeHandler(prometheus, logger);
    const made =
      tls === undefined ? { server: createServer(handler) } : await metricsTlsServer(tls, handler, this.#parts);
    this.#keepFresh = 'keepFresh' in made ? made.keepFresh : undefined;
    const names = { host: 'telemetry.Prometheus.host', port: 'telemetry.Prometheus.port' };
    this.#port = await listenHttp(made.server, { host, port, settings: names });
    logger.info('Metrics for Prometheus', { address: this.#port.address, port: this.#port.port });
    if (tls === undefined && !LOCAL.has(host)) {
      logger.warn('Metrics can be read by anybody who reaches the port', { host });
    }
  }

  /** Reports the uptime and looks after the certificate, until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#reportUptime(signal), this.#keepFresh?.(signal)]);
  }

  async #reportUptime(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    const started = clock.monotonic();
    while (this.isOn) {
      this.metrics.gauge('uptime_in_ms', Math.round((clock.monotonic() - started) * 1000));
      await clock.sleep(UPTIME, signal);
    }
  }

  async close(): Promise<void> {
    await this.#port?.close();
    await Promise.all(this.#statsd.map((sink) => sink.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

const LOCAL: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '::1', '[::1]']);

const bookOf = (
  { prefix, trustDomain, hostname }: TelemetryParts,
  settings: TelemetrySettings,
  sinks: ConstructorParameters<typeof SeriesBook>[0]['sinks'],
): SeriesBook =>
  new SeriesBook({
    sinks,
    prefix: settings.MetricPrefix ?? prefix,
    labels: {
      ...(settings.EnableTrustDomainLabel && { trust_domain: trustDomain.replaceAll(/[^A-Za-z0-9_]+_?/g, '_') }),
      ...(settings.EnableHostnameLabel && { host: hostname }),
    },
    filter: metricFilter({
      allowedPrefixes: settings.AllowedPrefixes,
      blockedPrefixes: settings.BlockedPrefixes,
      allowedLabels: settings.AllowedLabels,
      blockedLabels: settings.BlockedLabels,
    }),
  });

/** Any path answers, as SPIRE's exporter does. */
const scrapeHandler =
  (prometheus: PrometheusSink, logger: Logger): RequestListener =>
  async ({ method }, response) => {
    if (method !== 'GET' && method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end();
      return;
    }
    try {
      const text = await prometheus.text();
      response.writeHead(200, { 'content-type': prometheus.contentType }).end(text);
    } catch (error) {
      logger.error('Metrics cannot be shown', { error });
      response.writeHead(500).end();
    }
  };

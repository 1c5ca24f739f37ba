// What the processes count, and how the numbers leave them: Prometheus, StatsD, DogStatsD.
export { type CallMeter, countCall, measureCall } from './measure-call.ts';
export { type Labels, type Metrics, noMetrics } from './metrics.ts';
export { Telemetry, type TelemetryParts } from './telemetry.ts';
export { type TelemetrySettings, telemetrySchema } from './telemetry-schema.ts';
export type { CreateSpiffeServer } from './tls-server.ts';

// Liveness and readiness for orchestrators.
export { type CheckState, type HealthCheck, HealthChecks, passesIf } from './health-checks.ts';
export { serveHealth } from './health-port.ts';
export { type HealthCheckSettings, healthChecksSchema } from './health-schema.ts';

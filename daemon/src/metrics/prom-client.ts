import { createRequire } from 'node:module';
import type * as PromClient from 'prom-client';

let loaded: typeof PromClient | undefined;

/** The library, loaded when somebody wants Prometheus: it costs megabytes, and most processes do not. */
export const promClient = (): typeof PromClient =>
  (loaded ??= createRequire(import.meta.url)('prom-client') as typeof PromClient);

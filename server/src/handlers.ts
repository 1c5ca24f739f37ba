import type { Clock, Logger } from '@steeple/daemon';
import { agentHandlers } from './api/agent.ts';
import { bundleHandlers } from './api/bundle.ts';
import { debugHandlers } from './api/debug.ts';
import { entryHandlers } from './api/entry.ts';
import { serverHealthHandlers } from './api/health.ts';
import { localAuthorityHandlers } from './api/local-authority.ts';
import { loggerHandlers } from './api/logger.ts';
import { rolloutHandlers } from './api/rollout.ts';
import { svidHandlers } from './api/svid.ts';
import { syncHandlers } from './api/sync.ts';
import { trustDomainHandlers } from './api/trust-domain.ts';
import type { ServerConfig } from './config.ts';
import type { Services } from './endpoints/serve.ts';
import type { UseCases } from './use-cases.ts';

/**
 * Gives each API file the use cases it needs, as plain arguments: `xHandlers({ … })` returns the service's handlers,
 * and a method left out answers Unimplemented.
 */
export const handlersOf = (
  { trustDomain }: ServerConfig,
  use: UseCases,
  { logger, clock }: { readonly logger: Logger; readonly clock: Clock },
): Services => ({
  agent: agentHandlers({ trustDomain, clock, ...use }),
  entry: entryHandlers({ trustDomain, ...use }),
  svid: svidHandlers({ trustDomain, ...use }),
  sync: syncHandlers({ trustDomain, ...use }),
  health: serverHealthHandlers(use.health),
  bundle: bundleHandlers(use),
  trustDomain: trustDomainHandlers(use),
  localAuthority: localAuthorityHandlers(use),
  rollout: rolloutHandlers({ ...use, clock }),
  debug: debugHandlers({ ...use, now: () => clock.now() }),
  logger: loggerHandlers(logger),
});

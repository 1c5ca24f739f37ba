import type { Clock, Logger } from '@steeple/daemon';
import { agentHandlers } from './api/agent.ts';
import { entryHandlers } from './api/entry.ts';
import { serverHealthHandlers } from './api/health.ts';
import { svidHandlers } from './api/svid.ts';
import { syncHandlers } from './api/sync.ts';
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
  { clock }: { readonly logger: Logger; readonly clock: Clock },
): Services => ({
  agent: agentHandlers({ trustDomain, clock, ...use }),
  entry: entryHandlers({ trustDomain, ...use }),
  svid: svidHandlers({ trustDomain, ...use }),
  sync: syncHandlers(use.feed),
  health: serverHealthHandlers(use.health),
  // bundleHandlers(use), trustDomainHandlers({ trustDomain, ...use }), localAuthorityHandlers(use),
  // debugHandlers({ clock, ...use }) and loggerHandlers(logger) take these places.
  bundle: {},
  trustDomain: {},
  localAuthority: {},
  debug: {},
  logger: {},
});

import type { Clock, Logger } from '@steeple/daemon';
import type { AuthorityRotation } from './authority-rotation.ts';
import type { Upstream } from './upstream.ts';

/** Seconds until what failed is tried again. */
const RETRY = 5;

/** Takes over what the upstream says, at each change, until aborted. */
export const followUpstreamTrust = async (
  upstream: Upstream,
  rotation: Pick<AuthorityRotation, 'follow'>,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  signal: AbortSignal,
): Promise<void> => {
  while (!signal.aborted) {
    try {
      for await (const trust of upstream.watch(signal)) await rotation.follow(trust);
    } catch (error) {
      // The watch begins anew and tells everything again, so that nothing is lost.
      if (!signal.aborted) logger.error('What the upstream authority says could not be taken over', { error });
    }
    if (!signal.aborted) await clock.sleep(RETRY, signal).catch(() => undefined);
  }
};

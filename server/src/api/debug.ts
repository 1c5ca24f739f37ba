import type { AgentFilter, EntryFilter } from '@steeple/core';
import type { Handlers } from '@steeple/proto/grpc';
import type { debugV1 } from '@steeple/proto/server-api';
import { type BundleSource, SpiffeError, verifyX509Svid, type X509SvidSource } from '@steeple/spiffe';
import { wireTime } from './translate/number.ts';

export interface DebugUse {
  readonly identity: X509SvidSource;
  readonly bundles: BundleSource & { count(): Promise<number> };
  readonly agents: { count(filter: AgentFilter): Promise<number> };
  readonly entries: { count(filter: EntryFilter): Promise<number> };
  /** Unix seconds. */
  readonly now: () => number;
}

/** spire.api.server.debug.v1.Debug */
export const debugHandlers = (use: DebugUse): Handlers<typeof debugV1.Debug> => {
  const startedAt = use.now();
  return {
    async getInfo() {
      const [agentsCount, entriesCount, bundles] = await Promise.all([
        use.agents.count({}),
        use.entries.count({}),
        use.bundles.count(),
      ]);
      return {
        svidChain: chainOf(use).map((certificate) => ({
          ...(certificate.uriSans.length === 1 && { id: idOf(certificate) }),
          expiresAt: wireTime(certificate.notAfter),
          subject: certificate.reversedSubjectText,
        })),
        uptime: Math.floor(use.now() - startedAt),
        agentsCount,
        entriesCount,
        federatedBundlesCount: bundles,
      };
    },
  };
};

/** From the server's own leaf to its root, as SPIRE shows it. */
const chainOf = ({ identity, bundles, now }: DebugUse) => {
  const svid = identity.x509Svid();
  try {
    return verifyX509Svid(svid.chain, bundles, { now: now() }).chain;
  } catch (error) {
    if (!(error instanceof SpiffeError)) throw error;
    return svid.chain;
  }
};

const idOf = (certificate: ReturnType<typeof chainOf>[number]) => {
  const [uri = ''] = certificate.uriSans;
  const [trustDomain = '', ...path] = uri.slice('spiffe://'.length).split('/');
  return { trustDomain, path: path.length === 0 ? '' : `/${path.join('/')}` };
};

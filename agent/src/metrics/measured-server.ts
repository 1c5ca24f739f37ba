import { type CallMeter, measureCall } from '@steeple/daemon/metrics';
import type { ServerApi } from '../app/server-api.ts';

/** The calls by which the agent keeps its state fresh, counted under SPIRE's names. */
export function measuredServer<S extends Pick<ServerApi, 'authorizedEntries' | 'newX509Svids' | 'renewAgent'>>(
  server: S,
  meter: CallMeter,
  onRequested: (entryIds: readonly string[]) => void,
): Pick<S, 'authorizedEntries' | 'newX509Svids' | 'renewAgent'> {
  return {
    authorizedEntries: (known, signal) =>
      measureCall(meter, 'manager.sync.fetch_entries_updates', () => server.authorizedEntries(known, signal)),
    newX509Svids: (requests, signal) => {
      onRequested(requests.map(({ entryId }) => entryId));
      return measureCall(meter, 'manager.sync.fetch_svids_updates', () => server.newX509Svids(requests, signal));
    },
    renewAgent: (csr, signal) => measureCall(meter, 'agent_svid.rotate', () => server.renewAgent(csr, signal)),
  };
}

import type { Logger } from '@steeple/daemon';
import type { DiscoveryRequest } from '@steeple/proto/envoy';
import { merged } from '../app/merged.ts';
import type { WorkloadView } from '../app/workload-view.ts';
import { namesChanged } from './secret-request.ts';

export interface SecretConversation<R> {
  readonly requests: AsyncIterable<DiscoveryRequest>;
  /** Complete states only, the first as soon as there is one. */
  readonly views: AsyncIterable<WorkloadView>;
  readonly respond: (request: DiscoveryRequest, view: WorkloadView, version: string, nonce: string) => R;
  readonly nonce: () => string;
  readonly logger: Logger;
}

/**
 * One xDS stream: a request is answered, and answered again at each change of the workload's state.
 *
 * 1. The version counts states of the workload. Other names get the same version under a new nonce.
 * 2. What answers an older response than the last is ignored.
 * 3. A rejected response is logged; nothing is sent again before something changes.
 * 4. What the proxy says of itself once holds for the whole stream.
 */
export async function* converse<R>(parts: SecretConversation<R>): AsyncGenerator<R, void, undefined> {
  const { requests, views, respond, nonce, logger } = parts;
  let version = 0;
  let sentNonce = '';
  let last: DiscoveryRequest | undefined;
  let view: WorkloadView | undefined;
  for await (const event of merged(requests, views)) {
    if ('ended' in event) return;
    if (event.from === 'second') {
      view = event.item;
      version++;
    } else {
      const request = event.item;
      const fields = { names: request.resourceNames.map(String), version: request.versionInfo };
      if (request.errorDetail !== undefined) {
        logger.error('A proxy could not use the secrets it was sent', {
          ...fields,
          reason: request.errorDetail.message,
        });
      }
      if (sentNonce !== '' && request.responseNonce !== sentNonce) {
        logger.warn('Ignoring a request that answers an older response', fields);
        continue;
      }
      if (sentNonce !== '' && request.versionInfo !== String(version)) {
        logger.error('A proxy rejected the secrets it was sent', { ...fields, expected: String(version) });
      }
      request.node ??= last?.node;
      const other = last === undefined || namesChanged(last, request);
      last = request;
      if (!other) continue;
    }
    if (last === undefined || view === undefined) continue;
    sentNonce = nonce();
    yield respond(last, view, String(version), sentNonce);
  }
}

import { randomBytes } from 'node:crypto';
import type { Logger } from '@steeple/daemon';
import type { DiscoveryRequest, SecretDiscoveryService } from '@steeple/proto/envoy';
import { type CallContext, Code, GrpcError, type Handlers } from '@steeple/proto/grpc';
import { viewsOf } from '../app/caller-views.ts';
import type { IdentityCache } from '../app/identity-cache.ts';
import type { WorkloadView } from '../app/workload-view.ts';
import type { Caller, Callers } from './callers.ts';
import { converse } from './secret-conversation.ts';
import { verifiesPerTrustDomain } from './secret-request.ts';
import { type SecretNames, secretsOf } from './secrets.ts';
import { notYet } from './workload-calls.ts';

export interface SecretDiscoveryParts {
  readonly callers: Callers;
  readonly cache: IdentityCache;
  readonly logger: Logger;
  readonly settings: {
    readonly names: SecretNames;
    /** Plain roots for every proxy, unless its node says otherwise. */
    readonly disableSpiffeCertValidation: boolean;
  };
}

/** Envoy's secret discovery, version 3. It needs no header, and bundles need no identity. DeltaSecrets is not offered. */
export function secretDiscoveryHandlers(parts: SecretDiscoveryParts): Handlers<typeof SecretDiscoveryService> {
  const { cache, logger, settings } = parts;
  const respond = (request: DiscoveryRequest, view: WorkloadView, versionInfo: string, nonce: string) => {
    const perTrustDomain = verifiesPerTrustDomain(request.node, settings.disableSpiffeCertValidation);
    const resources = secretsOf(view, request.resourceNames, settings.names, perTrustDomain);
    return { typeUrl: request.typeUrl, versionInfo, nonce, resources };
  };
  return {
    async *streamSecrets(requests, ctx) {
      const caller = await attested(parts, ctx);
      try {
        const views = settledViews(cache, caller);
        yield* converse({ requests, views, respond, logger, nonce: () => randomBytes(4).toString('hex') });
        // Also when the views ended, which they do only with the signal.
        caller.signal.throwIfAborted();
      } finally {
        caller.release();
      }
    },

    async fetchSecrets(request, ctx) {
      const caller = await attested(parts, ctx);
      try {
        if (!cache.synced) throw notYet();
        for await (const view of settledViews(cache, caller)) return respond(request, view, '', '');
        throw caller.signal.reason;
      } finally {
        caller.release();
      }
    },
  };
}

/** States in which no SVID is on its way any more. */
async function* settledViews(cache: IdentityCache, caller: Caller): AsyncGenerator<WorkloadView, void, undefined> {
  for await (const view of viewsOf(cache, caller, { x509: true })) {
    if (view.settled) yield view;
  }
}

async function attested({ callers }: SecretDiscoveryParts, ctx: CallContext): Promise<Caller> {
  try {
    return await callers.attest(ctx);
  } catch (cause) {
    if (ctx.signal.aborted || !(cause instanceof GrpcError) || cause.code !== Code.PERMISSION_DENIED) throw cause;
    // As SPIRE says it: a proxy comes again after this status.
    throw new GrpcError(Code.UNAVAILABLE, 'workload attestation failed', { cause });
  }
}

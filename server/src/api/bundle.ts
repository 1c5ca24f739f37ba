import { appendAuthorities, IssuerError } from '@steeple/core';
import type { BundleDeleteMode } from '@steeple/plugins';
import type { Handlers } from '@steeple/proto/grpc';
import { bundleV1 } from '@steeple/proto/server-api';
import type { TrustBundle } from '@steeple/spiffe';
import type { Bundles } from '../app/bundles.ts';
import type { Downstream } from '../app/downstream.ts';
import { auditItem } from './audit.ts';
import { attempt } from './batch.ts';
import { type HolderUse, noteBundle } from './bundle-holder.ts';
import {
  type BundleMask,
  maskedBundle,
  readBundle,
  readPublishedKey,
  readTokenAuthorities,
  readX509Authorities,
  wireBundle,
  wireTokenAuthority,
} from './translate/bundle.ts';
import { readPage } from './translate/page.ts';
import { prefixed, readTrustDomain } from './translate/spiffe-id.ts';

const { DELETE, DISSOCIATE, RESTRICT } = bundleV1.BatchDeleteFederatedBundleRequest_Mode;

const deleteModes = new Map<number, BundleDeleteMode>([
  [RESTRICT, 'restrict'],
  [DELETE, 'delete'],
  [DISSOCIATE, 'dissociate'],
]);

interface BundleUse extends HolderUse {
  readonly bundles: Bundles;
  readonly downstream: Pick<Downstream, 'publishKey'>;
}

/** spire.api.server.bundle.v1.Bundle */
export const bundleHandlers = (use: BundleUse): Handlers<typeof bundleV1.Bundle> => ({
  async countBundles() {
    return { count: await use.bundles.count() };
  },

  async getBundle({ outputMask }, ctx) {
    const bundle = use.bundles.own();
    if (outputMask?.x509Authorities ?? true) await noteBundle(use, ctx, bundle);
    return wireBundle(bundle, outputMask);
  },

  async publishJWTAuthority({ jwtAuthority }, ctx) {
    const key = readPublishedKey(jwtAuthority, 'JWT');
    auditItem(ctx, { jwt_authority_key_id: key.kid, jwt_authority_expires_at: key.expiresAt });
    return { jwtAuthorities: (await use.downstream.publishKey('jwt', key, ctx.signal)).map(wireTokenAuthority) };
  },

  async publishWITAuthority({ witAuthority }, ctx) {
    const key = readPublishedKey(witAuthority, 'WIT');
    auditItem(ctx, { wit_authority_key_id: key.kid, wit_authority_expires_at: key.expiresAt });
    return { witAuthorities: (await use.downstream.publishKey('wit', key, ctx.signal)).map(wireTokenAuthority) };
  },

  async appendBundle(request, ctx) {
    const x509 = readX509Authorities(request.x509Authorities);
    const jwt = readTokenAuthorities(request.jwtAuthorities, 'JWT');
    if (x509.length + jwt.length === 0) throw new IssuerError('invalid-argument', 'no authorities to append');
    const wit = readTokenAuthorities(request.witAuthorities, 'WIT');
    const bundle = await use.bundles.updateOwn((old) => appendAuthorities(old, { x509, jwt, wit }));
    auditItem(ctx, { trust_domain_id: bundle.trustDomain.id }, { code: 0, message: 'OK' });
    return wireBundle(bundle, request.outputMask);
  },

  async listFederatedBundles(request) {
    const { items, nextToken } = await use.bundles.listFederated(readPage(request));
    return { bundles: items.map((bundle) => wireBundle(bundle, request.outputMask)), nextPageToken: nextToken };
  },

  async getFederatedBundle({ trustDomain, outputMask }) {
    const name = prefixed('trust domain argument is not valid', () => readTrustDomain(trustDomain));
    return wireBundle(use.bundles.federated(name), outputMask);
  },

  async batchCreateFederatedBundle({ bundle, outputMask }, ctx) {
    return { results: await each(bundle, ctx, outputMask, (wire) => use.bundles.create(readBundle(wire))) };
  },

  async batchUpdateFederatedBundle({ bundle, inputMask, outputMask }, ctx) {
    const results = await each(bundle, ctx, outputMask, (wire) => {
      const given = readBundle(wire);
      return use.bundles.update(given.trustDomain, (old) => maskedBundle(old, given, inputMask));
    });
    return { results };
  },

  async batchSetFederatedBundle({ bundle, outputMask }, ctx) {
    return { results: await each(bundle, ctx, outputMask, (wire) => use.bundles.set(readBundle(wire))) };
  },

  async batchDeleteFederatedBundle({ trustDomains, mode }, ctx) {
    const how = deleteModes.get(mode);
    if (how === undefined)
      throw new IssuerError('invalid-argument', `failed to parse deletion mode: unhandled delete mode ${mode}`);
    const results = [];
    for (const trustDomain of trustDomains) {
      const { status } = await attempt(ctx, () =>
        use.bundles.delete(
          prefixed('trust domain argument is not valid', () => readTrustDomain(trustDomain)),
          how,
        ),
      );
      auditItem(ctx, { trust_domain_id: trustDomain, mode: how }, status);
      results.push({ status, trustDomain });
    }
    return { results };
  },
});

/** Runs one change for each bundle; an item that fails leaves the others alone. */
async function each<W extends { trustDomain: string }>(
  bundles: readonly W[],
  ctx: Parameters<typeof attempt>[0],
  mask: BundleMask | undefined,
  change: (wire: W) => Promise<TrustBundle>,
) {
  const results = [];
  for (const wire of bundles) {
    const { status, value } = await attempt(ctx, () => change(wire));
    auditItem(ctx, { trust_domain_id: wire.trustDomain }, status);
    results.push({ status, ...(value && { bundle: wireBundle(value, mask) }) });
  }
  return results;
}

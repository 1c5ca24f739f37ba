import { create, type JsonObject } from '@bufbuild/protobuf';
import {
  type JWTBundlesResponse,
  JWTBundlesResponseSchema,
  type JWTSVIDResponse,
  JWTSVIDResponseSchema,
  type ValidateJWTSVIDResponse,
  ValidateJWTSVIDResponseSchema,
  type WITBundlesResponse,
  WITBundlesResponseSchema,
  type WITSVIDResponse,
  WITSVIDResponseSchema,
  type X509BundlesResponse,
  X509BundlesResponseSchema,
  type X509SVIDResponse,
  X509SVIDResponseSchema,
} from '@steeple/proto/workload';
import {
  concatCertificates,
  formatJwks,
  type JwtSvid,
  pkcs8Of,
  privateJwk,
  type TrustBundle,
  type X509Svid,
} from '@steeple/spiffe';
import type { HeldWit } from '../app/wit-cache.ts';
import type { WorkloadView } from '../app/workload-view.ts';

// The one file that knows both our values and the messages of the Workload API.

/** All identities that can be handed out, with every bundle (Workload API section 5.2.1). */
export function x509SvidResponse(view: WorkloadView): X509SVIDResponse {
  const bundle = rootsOf(view.bundle);
  return create(X509SVIDResponseSchema, {
    svids: view.identities.map(({ entry, svid }) => ({
      spiffeId: svid.id.toString(),
      x509Svid: own(concatCertificates(svid.chain)),
      x509SvidKey: pkcs8(svid),
      bundle,
      hint: entry.hint,
    })),
    federatedBundles: keyedById(view.federatedBundles, rootsOf),
  });
}

/** Section 5.2.2 */
export function x509BundlesResponse(bundles: readonly TrustBundle[]): X509BundlesResponse {
  return create(X509BundlesResponseSchema, { bundles: keyedById(bundles, rootsOf) });
}

/** Section 6.2.2: plain JWK Sets, one for each trust domain, even an empty one. */
export function jwtBundlesResponse(bundles: readonly TrustBundle[]): JWTBundlesResponse {
  return create(JWTBundlesResponseSchema, {
    bundles: keyedById(bundles, (bundle) => own(new TextEncoder().encode(formatJwks(bundle.jwtAuthorities)))),
  });
}

/** Section 7.2.2 */
export function witBundlesResponse(bundles: readonly TrustBundle[]): WITBundlesResponse {
  return create(WITBundlesResponseSchema, {
    bundles: keyedById(bundles, (bundle) => formatJwks(bundle.witAuthorities, { use: 'wit-svid' })),
  });
}

export function jwtSvidResponse(svids: readonly JwtSvid[]): JWTSVIDResponse {
  return create(JWTSVIDResponseSchema, {
    svids: svids.map(({ id, token, hint }) => ({ spiffeId: id.toString(), svid: token, hint })),
  });
}

export function witSvidResponse(wits: readonly HeldWit[]): WITSVIDResponse {
  return create(WITSVIDResponseSchema, {
    svids: wits.map(({ entry, token, privateKey }) => ({
      spiffeId: entry.spiffeId.toString(),
      witSvid: token,
      witSvidKey: JSON.stringify(privateJwk(privateKey)),
      hint: entry.hint,
    })),
  });
}

export function validateResponse(svid: JwtSvid, claims: Readonly<Record<string, unknown>>): ValidateJWTSVIDResponse {
  return create(ValidateJWTSVIDResponseSchema, { spiffeId: svid.id.toString(), claims: asStruct(claims) });
}

function rootsOf(bundle: TrustBundle): Uint8Array<ArrayBuffer> {
  return own(concatCertificates(bundle.x509Authorities.map(({ certificate }) => certificate)));
}

const keys = new WeakMap<X509Svid, Uint8Array<ArrayBuffer>>();

/** Exported once for each SVID, however many streams deliver it. */
export function pkcs8(svid: X509Svid): Uint8Array<ArrayBuffer> {
  const known = keys.get(svid);
  if (known !== undefined) return known;
  const key = own(pkcs8Of(svid.privateKey));
  keys.set(svid, key);
  return key;
}

function keyedById<T>(bundles: readonly TrustBundle[], value: (bundle: TrustBundle) => T): Record<string, T> {
  return Object.fromEntries(bundles.map((bundle) => [bundle.trustDomain.id, value(bundle)]));
}

export function own(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}

/** Claims as the JSON that a Struct can carry: its numbers are doubles. The depth was bounded when they were read. */
function asStruct(claims: Readonly<Record<string, unknown>>): JsonObject {
  return JSON.parse(
    JSON.stringify(claims, (_name, value: unknown) => (typeof value === 'bigint' ? Number(value) : value)),
  ) as JsonObject;
}

import type { Handlers } from '@steeple/proto/grpc';
import type { SpiffeWorkloadAPI } from '@steeple/proto/workload';
import {
  concatCertificates,
  formatJwks,
  type HeldWitSvid,
  type JwtSvid,
  pkcs8Of,
  privateJwk,
  type TrustBundle,
  type X509Svid,
} from '@steeple/spiffe';

type Methods = Handlers<typeof SpiffeWorkloadAPI>;

/** The fields of a method's response, as it goes onto the wire. */
export type Wire<N extends keyof Methods> =
  NonNullable<Methods[N]> extends (...args: never[]) => AsyncIterable<infer O> | Promise<infer O> ? Fields<O> : never;

/** Without the other form a handler may answer in, a message that is encoded already. */
type Fields<O> = O extends { readonly bytes: Uint8Array } ? never : O;

/** An X509SVIDResponse: the SVIDs with the bundle of their own trust domain, and the rest as federated bundles. */
export function x509Response(
  svids: readonly X509Svid[],
  bundles: readonly TrustBundle[],
  crls: readonly Uint8Array[] = [],
): Wire<'fetchX509SVID'> {
  const own = new Set(svids.map(({ id }) => id.trustDomain.name));
  const bundleOf = (name: string) => bundles.find(({ trustDomain }) => trustDomain.name === name);
  return {
    svids: svids.map((svid) => ({
      spiffeId: svid.id.toString(),
      x509Svid: bytes(concatCertificates(svid.chain)),
      x509SvidKey: bytes(pkcs8Of(svid.privateKey)),
      bundle: rootsOf(bundleOf(svid.id.trustDomain.name)),
      hint: svid.hint,
    })),
    crl: crls.map(bytes),
    federatedBundles: bundleMap(
      bundles.filter(({ trustDomain }) => !own.has(trustDomain.name)),
      rootsOf,
    ),
  };
}

/** An X509BundlesResponse. */
export function x509BundlesResponse(
  bundles: readonly TrustBundle[],
  crls: readonly Uint8Array[] = [],
): Wire<'fetchX509Bundles'> {
  return { bundles: bundleMap(bundles, rootsOf), crl: crls.map(bytes) };
}

/** A JWTBundlesResponse. */
export function jwtBundlesResponse(bundles: readonly TrustBundle[]): Wire<'fetchJWTBundles'> {
  return {
    bundles: bundleMap(bundles, ({ jwtAuthorities }) => bytes(new TextEncoder().encode(formatJwks(jwtAuthorities)))),
  };
}

/** A WITBundlesResponse. */
export function witBundlesResponse(bundles: readonly TrustBundle[]): Wire<'fetchWITBundles'> {
  return { bundles: bundleMap(bundles, ({ witAuthorities }) => formatJwks(witAuthorities, { use: 'wit-svid' })) };
}

/** A JWTSVIDResponse. */
export function jwtResponse(svids: readonly JwtSvid[]): Wire<'fetchJWTSVID'> {
  return { svids: svids.map(({ id, token, hint }) => ({ spiffeId: id.toString(), svid: token, hint })) };
}

/** A WITSVIDResponse. */
export function witResponse(svids: readonly HeldWitSvid[]): Wire<'fetchWITSVID'> {
  return {
    svids: svids.map(({ id, token, privateKey, hint }) => ({
      spiffeId: id.toString(),
      witSvid: token,
      witSvidKey: JSON.stringify(privateJwk(privateKey)),
      hint,
    })),
  };
}

function rootsOf(bundle: TrustBundle | undefined): Uint8Array<ArrayBuffer> {
  return bytes(concatCertificates(bundle?.x509Authorities.map(({ certificate }) => certificate) ?? []));
}

function bundleMap<V>(bundles: readonly TrustBundle[], value: (bundle: TrustBundle) => V): Record<string, V> {
  return Object.fromEntries(bundles.map((bundle) => [bundle.trustDomain.id, value(bundle)]));
}

function bytes(value: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(value);
}

import { create, type DescMessage, type MessageInitShape, type MessageShape } from '@bufbuild/protobuf';
import { type Any, anyPack } from '@bufbuild/protobuf/wkt';
import { SecretSchema, SPIFFECertValidatorConfigSchema } from '@steeple/proto/envoy';
import { Code, GrpcError } from '@steeple/proto/grpc';
import { pkcs8Of, type TrustBundle, toPem, type X509Svid } from '@steeple/spiffe';
import type { WorkloadView } from '../app/workload-view.ts';
import { oncePer } from './once-per.ts';

/** The names under which a proxy may ask for what it need not know by name. */
export interface SecretNames {
  /** The first identity. */
  readonly svid: string;
  /** The bundle of the own trust domain. */
  readonly bundle: string;
  /** That and all federated ones. */
  readonly allBundles: string;
}

const VALIDATOR = 'envoy.tls.cert_validator.spiffe';

/**
 * What a workload is given of the resources it names, or everything without a name.
 *
 * 1. One of own bundle, default bundle, all bundles is answered, the first of these that was named.
 * 2. The default SVID is answered unless that identity was named by its SPIFFE ID too.
 * 3. `perTrustDomain` makes Envoy verify peers with the roots of their own trust domain only; without it roots are plain.
 *
 * @throws GrpcError `INVALID_ARGUMENT` if a name is left over, `INTERNAL` if all bundles are wanted as plain roots
 */
export function secretsOf(
  view: WorkloadView,
  requested: readonly string[],
  names: SecretNames,
  perTrustDomain: boolean,
): Any[] {
  const left = new Set(requested.filter((name) => name !== ''));
  const everything = left.size === 0;
  const take = (name: string): boolean => left.delete(name) || everything;
  const asked = (name: string): boolean => left.delete(name);
  const resources: Any[] = [];

  const { bundle, federatedBundles, identities } = view;
  const one = (name: string, of: TrustBundle) => validationContext(name, [of], perTrustDomain);
  if (take(bundle.trustDomain.id)) resources.push(one(bundle.trustDomain.id, bundle));
  else if (asked(names.bundle)) resources.push(one(names.bundle, bundle));
  else if (asked(names.allBundles)) {
    if (!perTrustDomain) {
      throw GrpcError.of(Code.INTERNAL, 'unable to use "SPIFFE validator" on Envoy below 1.17');
    }
    resources.push(validationContext(names.allBundles, [bundle, ...federatedBundles], true));
  }
  for (const federated of federatedBundles) {
    if (take(federated.trustDomain.id)) resources.push(one(federated.trustDomain.id, federated));
  }
  for (const [index, { svid }] of identities.entries()) {
    const id = svid.id.toString();
    if (take(id)) resources.push(certificate(id, svid));
    else if (index === 0 && asked(names.svid)) resources.push(certificate(names.svid, svid));
  }
  if (left.size > 0) throw unknownNames([...left]);
  return resources;
}

function unknownNames(names: readonly string[]): GrpcError {
  const quoted = names.toSorted().map((name) => JSON.stringify(name));
  const message = `workload is not authorized for the requested identities [${quoted.join(' ')}]`;
  return GrpcError.of(Code.INVALID_ARGUMENT, message);
}

function certificate(name: string, svid: X509Svid): Any {
  const { chain, key } = pemOfSvid(svid);
  return packed(SecretSchema, {
    name,
    type: { case: 'tlsCertificate', value: { certificateChain: inline(chain), privateKey: inline(key) } },
  });
}

function validationContext(name: string, bundles: readonly TrustBundle[], perTrustDomain: boolean): Any {
  const [first] = bundles;
  const value = perTrustDomain
    ? { customValidatorConfig: { name: VALIDATOR, typedConfig: validatorConfig(bundles) } }
    : { trustedCa: inline(first === undefined ? new Uint8Array() : pemOfRoots(first)) };
  return packed(SecretSchema, { name, type: { case: 'validationContext', value } });
}

function validatorConfig(bundles: readonly TrustBundle[]): Any {
  const sorted = bundles.toSorted((a, b) => (a.trustDomain.name < b.trustDomain.name ? -1 : 1));
  return packed(SPIFFECertValidatorConfigSchema, {
    trustDomains: sorted.map((bundle) => ({
      name: bundle.trustDomain.name,
      trustBundle: inline(pemOfRoots(bundle)),
    })),
  });
}

/** Written once for each SVID and bundle, however many proxies ask. */
const pemOfSvid = oncePer((svid: X509Svid) => ({
  chain: bytesOf(svid.chain.map(({ raw }) => toPem('CERTIFICATE', raw)).join('')),
  key: bytesOf(toPem('PRIVATE KEY', pkcs8Of(svid.privateKey))),
}));
const pemOfRoots = oncePer((bundle: TrustBundle) =>
  bytesOf(bundle.x509Authorities.map(({ certificate: { raw } }) => toPem('CERTIFICATE', raw)).join('')),
);

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function inline(value: Uint8Array<ArrayBuffer>) {
  return { specifier: { case: 'inlineBytes' as const, value } };
}

function packed<S extends DescMessage>(schema: S, value: MessageInitShape<S>): Any {
  return anyPack(schema, create(schema, value) as MessageShape<S>);
}

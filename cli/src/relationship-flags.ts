// What the flags of `federation create` and `federation update` say.
import { readFile } from 'node:fs/promises';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { endpointUrlProblem, type FederationRelationship } from '@steeple/core';
import type { types } from '@steeple/proto/server-api';
import { type FirstBundleSource, fetchFirstBundle } from '@steeple/server';
import { SpiffeId, type TrustBundle, TrustDomain } from '@steeple/spiffe';
import { bundleFrom } from './bundle-text.ts';
import { UserError } from './exit.ts';
import { text } from './flags.ts';
import { idText, spiffeId } from './spiffe-id-flag.ts';
import type { CliContext, Options } from './verb.ts';

type WireBundle = MessageInitShape<typeof types.BundleSchema>;
type WireProfile = types.FederationRelationship['bundleEndpointProfile'];

/** `--endpoint-url`, if it is one. @throws {UserError} */
export function endpointUrl(options: Options): string | undefined {
  const url = text(options, 'endpointUrl');
  const problem = url === undefined ? undefined : endpointUrlProblem(url);
  if (problem !== undefined) throw new UserError(`--endpoint-url: ${problem}`, 'write it as https://host:8443/');
  return url;
}

/** `--profile` and `--endpoint-spiffe-id`; undefined when neither is given. @throws {UserError} */
export function endpointProfile(options: Options, domain: string): WireProfile | undefined {
  const [profile, id] = [text(options, 'profile'), text(options, 'endpointSpiffeId')];
  if (profile === undefined && id === undefined) return undefined;
  if (profile !== 'https_web') {
    const endpointSpiffeId =
      id === undefined ? `spiffe://${domain}/spire/server` : idText(spiffeId(id, '--endpoint-spiffe-id'));
    return { case: 'httpsSpiffe', value: { endpointSpiffeId } as types.HTTPSSPIFFEProfile };
  }
  if (id !== undefined)
    throw new UserError('--endpoint-spiffe-id: a web server has none', 'use --profile https_spiffe');
  return { case: 'httpsWeb', value: {} as types.HTTPSWebProfile };
}

/** The first bundle, from wherever the flags say it is; undefined when they say nothing. @throws {UserError} */
export async function firstBundle(
  options: Options,
  domain: string,
  { url, profile }: { readonly url: string; readonly profile: WireProfile },
  context: CliContext,
): Promise<WireBundle | undefined> {
  const [path, bundleUrl, pin] = ['bundlePath', 'bundleUrl', 'bundlePin'].map((name) => text(options, name));
  if ([path, bundleUrl, pin].filter((one) => one !== undefined).length > 1) {
    throw new UserError('--bundle-path, --bundle-url and --bundle-pin: one of them is enough');
  }
  if (path !== undefined) return bundleOfFile(path, text(options, 'bundleFormat'), domain);
  const source = sourceOf(bundleUrl, pin);
  if (source === undefined) return undefined;
  const relationship = relationshipOf(domain, url, profile);
  const bundle = await fetchFirstBundle(source, relationship, context.signal).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UserError(`the first bundle of ${domain} cannot be had: ${reason}`, undefined, { cause });
  });
  return wireBundle(bundle);
}

async function bundleOfFile(path: string, format: string | undefined, domain: string): Promise<WireBundle> {
  const content = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new UserError(`--bundle-path: ${error instanceof Error ? error.message : String(error)}`);
  });
  return bundleFrom(domain, content, format ?? (content.trimStart().startsWith('{') ? 'spiffe' : 'pem'));
}

function sourceOf(url: string | undefined, pin: string | undefined): FirstBundleSource | undefined {
  if (url !== undefined) return { kind: 'url', url };
  if (pin === undefined) return undefined;
  const sha256 = pin
    .toLowerCase()
    .replace(/^sha-?256[:=]/, '')
    .replaceAll(':', '');
  if (!/^[0-9a-f]{64}$/.test(sha256))
    throw new UserError('--bundle-pin: must be a SHA-256 fingerprint, 64 hexadecimal digits');
  return { kind: 'pin', sha256 };
}

function relationshipOf(domain: string, bundleEndpointUrl: string, profile: WireProfile): FederationRelationship {
  const trustDomain = TrustDomain.parse(domain);
  if (profile.case !== 'httpsSpiffe') return { trustDomain, bundleEndpointUrl, profile: { kind: 'https_web' } };
  const endpointSpiffeId = SpiffeId.parse(profile.value.endpointSpiffeId);
  return { trustDomain, bundleEndpointUrl, profile: { kind: 'https_spiffe', endpointSpiffeId } };
}

/** A bundle as a message. */
export function wireBundle(bundle: TrustBundle): WireBundle {
  return {
    trustDomain: bundle.trustDomain.name,
    x509Authorities: bundle.x509Authorities.map(({ certificate }) => ({ asn1: new Uint8Array(certificate.raw) })),
    jwtAuthorities: bundle.jwtAuthorities.map(({ kid, spki }) => ({ keyId: kid, publicKey: new Uint8Array(spki) })),
    refreshHint: BigInt(bundle.refreshHint),
    sequenceNumber: bundle.sequence,
  };
}

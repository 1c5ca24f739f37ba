import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { serverId } from '@steeple/core';
import { ConfigError, type ConfigProblem } from '@steeple/daemon';
import { parseBundleDocument, parseCertificatesPem, TrustBundle, type TrustDomain } from '@steeple/spiffe';
import { download } from './download.ts';
import type { TrustAttempts } from './storage.ts';
import type { BundleFormat, Download, TrustSource } from './trust-source.ts';
import { fetchUnverifiedBundle } from './unverified-bundle.ts';
import { bundleFromWorkloadApi } from './upstream-workload-api.ts';

export interface TrustPlace {
  readonly trustDomain: TrustDomain;
  readonly host: string;
  readonly port: number;
  /** How the search for a bundle goes; a web server on a local socket is told. */
  readonly attempt?: TrustAttempts & { readonly mode: 'bootstrap' | 'rebootstrap' };
}

/** Gets the first bundle from where the configuration says. */
export async function loadTrust(source: TrustSource, place: TrustPlace, signal: AbortSignal): Promise<TrustBundle> {
  switch (source.kind) {
    case 'file':
      return parseBundle(await readBundleFile(source.path), source.format, place.trustDomain, {
        path: 'agent.trust_bundle_path',
        file: source.path,
      });
    case 'url':
      return parseBundle(await download(forLocalServer(source, place), signal), source.format, place.trustDomain, {
        path: 'agent.trust_bundle_url',
      });
    case 'pin':
      return pinned(source.sha256, place, signal);
    case 'workload-api':
      return bundleFromWorkloadApi(source.address, place.trustDomain, signal);
    case 'insecure':
      return insecure(place, signal);
  }
}

/** What SPIRE tells a web server on a local socket: it may decide by it which bundle to give. */
function forLocalServer(source: Download, { trustDomain, host, port, attempt }: TrustPlace): Download {
  if (source.socketPath === undefined) return source;
  const url = new URL(source.url);
  const { mode = 'bootstrap', count = 1, since } = attempt ?? {};
  url.searchParams.set('spire-attest-mode', mode);
  url.searchParams.set('spire-connection-attempts', String(count));
  if (since !== undefined) url.searchParams.set('spire-attest-start-time', isoSeconds(since));
  url.searchParams.set('spire-server-address', host);
  url.searchParams.set('spire-server-port', String(port));
  url.searchParams.set('spiffe-trust-domain', trustDomain.name);
  return { ...source, url: url.href };
}

function isoSeconds(instant: number): string {
  return `${new Date(instant * 1000).toISOString().slice(0, 19)}Z`;
}

async function readBundleFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new ConfigError([{ path: 'agent.trust_bundle_path', message: 'the file cannot be read', file: path }], {
      cause,
    });
  }
}

function parseBundle(
  text: string,
  format: BundleFormat,
  trustDomain: TrustDomain,
  where: Omit<ConfigProblem, 'message'>,
): TrustBundle {
  try {
    if (format === 'spiffe') return parseBundleDocument(trustDomain, text);
    const certificates = parseCertificatesPem(text);
    if (certificates.length === 0) throw new Error('there is no certificate in it');
    return TrustBundle.of(trustDomain, {
      x509Authorities: certificates.map((certificate) => ({ certificate, tainted: false })),
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `no trust bundle in the format ${format}: ${reason}`;
    throw new ConfigError([{ ...where, message }], { cause });
  }
}

/** Of what the stranger at the other end claims, only the root with the configured fingerprint is believed. */
async function pinned(sha256: string, place: TrustPlace, signal: AbortSignal): Promise<TrustBundle> {
  const { bundle, presented } = await fetchUnverifiedBundle(place, signal);
  const candidates = [...bundle.x509Authorities.map(({ certificate }) => certificate), ...presented];
  const root = candidates.find(({ raw }) => createHash('sha256').update(raw).digest('hex') === sha256);
  if (root === undefined) {
    const message = 'the server presents no root with this SHA-256 fingerprint; is it the right server?';
    throw new ConfigError([{ path: 'agent.trust_bundle_pin', message }]);
  }
  return TrustBundle.of(place.trustDomain, { x509Authorities: [{ certificate: root, tainted: false }] });
}

/** Believes whoever answers, if it only claims the right name. */
async function insecure(place: TrustPlace, signal: AbortSignal): Promise<TrustBundle> {
  const { bundle, presented } = await fetchUnverifiedBundle(place, signal);
  const expected = serverId(place.trustDomain).toString();
  const names = presented[0]?.uriSans ?? [];
  if (names.length !== 1 || names[0] !== expected) {
    const message = `the server does not call itself ${expected}; check agent.trust_domain and agent.server_address`;
    throw new ConfigError([{ path: 'agent.insecure_bootstrap', message }]);
  }
  return bundle;
}

import type { SpiffeId, TrustDomain } from '@steeple/spiffe';
import { dnsNameProblem } from './dns-name.ts';
import { IssuerError } from './errors.ts';

/** How a bundle endpoint proves who it is. */
export type EndpointProfile =
  | { readonly kind: 'https_web' }
  | { readonly kind: 'https_spiffe'; readonly endpointSpiffeId: SpiffeId };

/** Where another trust domain publishes its bundle (SPIFFE Federation 5). */
export interface FederationRelationship {
  readonly trustDomain: TrustDomain;
  readonly bundleEndpointUrl: string;
  readonly profile: EndpointProfile;
}

const LONGEST_URL = 2048;
const URL_PARTS = /^https:\/\/([^/?#]*)([!#$%&'()*+,\-./0-9:;=?@A-Z[\]_a-z~]*)$/i;
const HOST_AND_PORT = /^(\[[0-9A-Fa-f:.]+\]|[^:[\]]+)(?::([0-9]{1,5}))?$/;

/**
 * Refuses a relationship that can never be followed.
 *
 * @throws {IssuerError} `invalid-argument`
 */
export function checkFederationRelationship(relationship: FederationRelationship, own: TrustDomain): void {
  if (relationship.trustDomain.equals(own)) {
    throw new IssuerError('invalid-argument', 'unable to create federation relationship for server trust domain');
  }
  const problem = endpointUrlProblem(relationship.bundleEndpointUrl);
  if (problem !== undefined) throw new IssuerError('invalid-argument', problem);
}

/** Why a text cannot be the URL of a bundle endpoint (https, a host, no userinfo; SPIFFE Federation 5.1), or undefined. */
export function endpointUrlProblem(url: string): string | undefined {
  if (url.length > LONGEST_URL) return `bundle endpoint URL is longer than ${LONGEST_URL} characters`;
  if (!/^https:/i.test(url)) return 'bundle endpoint URL must use the https scheme';
  const parts = URL_PARTS.exec(url);
  if (parts === null) return 'bundle endpoint URL is malformed';
  const [, authority = ''] = parts;
  if (authority.includes('@')) return 'bundle endpoint URL must not contain user info';
  const [, host, port] = HOST_AND_PORT.exec(authority) ?? [];
  if (host === undefined) return 'bundle endpoint URL must specify the host';
  if (port !== undefined && (Number(port) === 0 || Number(port) > 65_535))
    return 'bundle endpoint URL has no valid port';
  const isAddress = host.startsWith('[') || /^[0-9]+(?:\.[0-9]+){3}$/.test(host);
  if (!isAddress && (host.startsWith('*') || dnsNameProblem(host) !== undefined)) {
    return 'bundle endpoint URL has no valid host';
  }
  return undefined;
}

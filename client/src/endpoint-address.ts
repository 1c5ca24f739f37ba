import { isIPv4, isIPv6 } from 'node:net';
import { ClientError } from './errors.ts';

/** The environment variable naming the Workload API's address (SPIFFE Workload Endpoint, section 4). */
export const ENDPOINT_VARIABLE = 'SPIFFE_ENDPOINT_SOCKET';

/** Where a Workload API listens. */
export type EndpointAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/** Longest path the kernel accepts for a unix socket, in bytes. */
const MAX_PATH_BYTES = 107;

/**
 * The address to use: `explicit` if given, else the one in `environment`. There is no built-in default.
 *
 * @throws ClientError `no-endpoint`, `invalid-endpoint`
 */
export function resolveEndpoint(
  explicit: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): EndpointAddress {
  const text = explicit ?? environment[ENDPOINT_VARIABLE];
  if (text === undefined || (explicit === undefined && text === '')) {
    throw new ClientError('no-endpoint', `no Workload API address: set ${ENDPOINT_VARIABLE} or pass one`);
  }
  return parseEndpointAddress(text);
}

/**
 * Reads `unix:///path/to/socket`, `unix:/path/to/socket` or `tcp://ip:port`; nothing else is an endpoint address, and no
 * other part of a URI may appear (SPIFFE Workload Endpoint, section 4).
 *
 * @throws ClientError `invalid-endpoint`
 */
export function parseEndpointAddress(text: string): EndpointAddress {
  const [, scheme, rest] = /^([A-Za-z][A-Za-z0-9+.-]*):(.*)$/s.exec(text) ?? [];
  if (scheme === undefined || rest === undefined) throw invalid(text, 'it is no URI');
  if (/[?#]/.test(rest)) throw invalid(text, 'query and fragment are not allowed');
  switch (scheme.toLowerCase()) {
    case 'unix':
      return parseUnix(text, rest);
    case 'tcp':
      return parseTcp(text, rest);
    default:
      throw invalid(text, 'the scheme must be unix or tcp');
  }
}

/** The address as a grpc-js target. */
export function grpcTarget(address: EndpointAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  return isIPv6(address.host) ? `ipv6:[${address.host}]:${address.port}` : `ipv4:${address.host}:${address.port}`;
}

function parseUnix(text: string, rest: string): EndpointAddress {
  const [, authority, encoded] = /^\/\/([^/]*)(.*)$/s.exec(rest) ?? ['', '', rest];
  if (authority !== '') throw invalid(text, 'unix takes no authority: use unix:///path');
  if (encoded === undefined || !encoded.startsWith('/')) throw invalid(text, 'the path must be absolute');
  const path = decodePath(text, encoded);
  if (path.endsWith('/')) throw invalid(text, 'the path names no file');
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw invalid(text, `the path is longer than ${MAX_PATH_BYTES} bytes`);
  return { kind: 'unix', path };
}

function decodePath(text: string, encoded: string): string {
  let path: string;
  try {
    path = decodeURIComponent(encoded);
  } catch {
    throw invalid(text, 'the path has a broken percent escape');
  }
  if (isUnprintable(encoded) || isUnprintable(path)) throw invalid(text, 'the path has a control character or space');
  // Two leading slashes would read as an authority further on.
  return path.replace(/^\/+/, '/');
}

function isUnprintable(path: string): boolean {
  return /[^!-~\u0080-\u{10ffff}]/u.test(path);
}

function parseTcp(text: string, rest: string): EndpointAddress {
  const [, v6, v4, digits = ''] = /^\/\/(?:\[([^\]]*)\]|([^:/@[\]]*)):(\d{1,5})$/.exec(rest) ?? [];
  const host = v6 ?? v4 ?? '';
  const isAddress = v6 === undefined ? isIPv4(host) : isIPv6(host) && !host.includes('%');
  if (!isAddress) throw invalid(text, 'tcp needs exactly an IP address and a port: tcp://127.0.0.1:8000');
  const port = Number(digits);
  if (digits.startsWith('0') || port > 65_535) throw invalid(text, 'the port must be between 1 and 65535');
  return { kind: 'tcp', host, port };
}

function invalid(text: string, reason: string): ClientError {
  return new ClientError('invalid-endpoint', `Workload API address ${JSON.stringify(text)}: ${reason}`);
}

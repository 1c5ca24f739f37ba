import { isIP } from 'node:net';
import { endpointUrlProblem, IssuerError } from '@steeple/core';

/** The parts of a bundle endpoint's URL that a connection needs. */
export interface EndpointAddress {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** The name for TLS; undefined when the host is an address. */
  readonly serverName: string | undefined;
  /** What the `Host` header says. */
  readonly authority: string;
  /** Path and query. */
  readonly target: string;
}

/** @throws {IssuerError} `invalid-argument` if it is no URL of a bundle endpoint (SPIFFE Federation 5.2.1.1, 5.2.2.1) */
export const endpointAddress = (text: string): EndpointAddress => {
  const problem = endpointUrlProblem(text);
  if (problem !== undefined) throw new IssuerError('invalid-argument', problem);
  const url = new URL(text);
  const host = url.hostname.replaceAll(/^\[|\]$/g, '');
  return {
    url: text,
    host,
    port: Number(url.port || 443),
    serverName: isIP(host) === 0 ? host : undefined,
    authority: url.host,
    target: `${url.pathname}${url.search}`,
  };
};

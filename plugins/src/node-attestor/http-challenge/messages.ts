import { IssuerError } from '@steeple/core';
import { isJsonObject, type JsonObject, parseJson } from '@steeple/spiffe';

/** Where the agent says that it can be asked. */
export interface Whereabouts {
  readonly hostname: string;
  readonly agentName: string;
  readonly port: number;
}

/** What the agent answers a challenge with: SPIRE's server waits for some answer and does not look at it. */
export const READY = Uint8Array.of(0x0a);

const LIMITS = { maxBytes: 4096, maxDepth: 2 };
const MAX_PORT = 65_535;
/** What a nonce is made of in URL-safe base64. Nothing else is served: a server must not choose what a node says on the web. */
const NONCE = /^[A-Za-z0-9_-]{16,60}={0,2}$/;
const AGENT_NAME = /^[A-Za-z][A-Za-z0-9-]{0,31}$/;

/** The path under which an agent answers. */
export function challengePath(agentName: string): string {
  return `/.well-known/spiffe/nodeattestor/http_challenge/${agentName}/challenge`;
}

/** Whether it can stand in the path. */
export function isAgentName(name: string): boolean {
  return AGENT_NAME.test(name);
}

/** First message: `{"hostname":…,"agentname":…,"port":…}`. */
export function formatPayload({ hostname, agentName, port }: Whereabouts): Uint8Array {
  return encode({ hostname, agentname: agentName, port });
}

/** @throws {IssuerError} `invalid-argument` */
export function parsePayload(data: Uint8Array): Whereabouts {
  const { hostname, agentname: agentName, port } = decode(data, 'attestation data');
  if (typeof hostname !== 'string' || hostname === '') throw invalid('hostname must be set');
  if (typeof agentName !== 'string' || agentName === '') throw invalid('agentname must be set');
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > MAX_PORT) {
    throw invalid('port is invalid');
  }
  return { hostname, agentName, port };
}

/** Server to agent: `{"nonce":…}`. */
export function formatChallenge(nonce: string): Uint8Array {
  return encode({ nonce });
}

/** @throws {IssuerError} `invalid-argument` */
export function parseChallenge(data: Uint8Array): string {
  const { nonce } = decode(data, 'challenge');
  if (typeof nonce !== 'string' || !NONCE.test(nonce)) throw invalid('malformed challenge');
  return nonce;
}

function encode(value: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function decode(data: Uint8Array, what: string): JsonObject {
  try {
    const value = parseJson(data, LIMITS);
    if (isJsonObject(value)) return value;
  } catch {
    // Told below.
  }
  throw invalid(`malformed ${what}`);
}

function invalid(reason: string): IssuerError {
  return new IssuerError('invalid-argument', `http_challenge: ${reason}`);
}

import { IssuerError } from '@steeple/core';
import { type ForeignToken, type JsonObject, readForeignToken, SpiffeError } from '@steeple/spiffe';
import { isUuid } from '../azure-imds/messages.ts';
import { readJson, textOf } from '../cloud/read-json.ts';

/** Seconds that clocks may differ; such tokens live for hours. */
const LEEWAY = 300;
const MAX_PAYLOAD = 64 * 1024;

/** Whom a token of a managed identity is about. */
export interface Principal {
  readonly tenantId: string;
  readonly principalId: string;
}

export function formatPayload(token: string): Uint8Array {
  return Buffer.from(JSON.stringify({ token }));
}

/** @throws {IssuerError} `invalid-argument` */
export function readPayload(payload: Uint8Array): ForeignToken {
  if (payload.length > MAX_PAYLOAD) throw malformed('the attestation data is too large');
  const token = textOf(readJson(payload, 'azure_msi: the attestation data', 'invalid-argument'), 'token');
  if (!token) throw malformed('missing token from attestation data');
  try {
    return readForeignToken(token);
  } catch (cause) {
    if (!(cause instanceof SpiffeError)) throw cause;
    throw malformed(`unable to parse token: ${cause.message}`, cause);
  }
}

/**
 * Whom a token is about, its signature apart.
 *
 * @throws {IssuerError} `permission-denied`: what is no UUID reaches no address, no query and no path
 */
export function principalOf(claims: JsonObject): Principal {
  const tenantId = textOf(claims, 'tid') ?? '';
  const principalId = textOf(claims, 'sub') ?? '';
  if (!isUuid(tenantId)) throw refused('token has no usable tenant ID claim');
  if (!isUuid(principalId)) throw refused('token has no usable subject claim');
  const issuer = textOf(claims, 'iss') ?? '';
  // One set of keys signs for all tenants: the issuer must be the one of this tenant.
  if (/^https:\/\/[a-z.]+\/([^/]+)\/(?:v2\.0)?$/.exec(issuer)?.[1] === tenantId) return { tenantId, principalId };
  throw refused('token is not from the issuer of its tenant');
}

/** @throws {IssuerError} `permission-denied` unless it is for this audience, and now. `now` in Unix seconds. */
export function requireFor(claims: JsonObject, audience: string, now: number): void {
  const { aud, exp, nbf, iat } = claims;
  if (aud !== audience && !(Array.isArray(aud) && aud.includes(audience)))
    throw refused('token is for another audience');
  // Written so that a time that is no number refuses.
  if (!(typeof exp === 'number' && now < exp + LEEWAY)) throw refused('token has expired');
  for (const begin of [nbf, iat]) {
    if (begin !== undefined && !(typeof begin === 'number' && begin - LEEWAY <= now))
      throw refused('token is not valid yet');
  }
}

function malformed(message: string, cause?: unknown): IssuerError {
  return new IssuerError('invalid-argument', `azure_msi: ${message}`, { cause });
}

function refused(message: string): IssuerError {
  return new IssuerError('permission-denied', `azure_msi: ${message}`);
}

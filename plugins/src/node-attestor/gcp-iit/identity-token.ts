import { IssuerError } from '@steeple/core';
import { type ForeignToken, isJsonObject, type JsonObject, readForeignToken, SpiffeError } from '@steeple/spiffe';
import { textOf } from '../cloud/read-json.ts';

/** Whom the agent asks the token for; as in SPIRE, so that either side may be the other's. */
export const AUDIENCE = 'spire-gcp-node-attestor';
const ISSUERS: ReadonlySet<string> = new Set(['https://accounts.google.com', 'accounts.google.com']);
/** Seconds that clocks may differ. */
const LEEWAY = 60;

/** What an instance identity token says of the instance. */
export interface InstanceClaims {
  readonly projectId: string;
  readonly projectNumber: string;
  readonly zone: string;
  readonly instanceId: string;
  readonly instanceName: string;
  /** Unix seconds, as a text; empty if the token has none. */
  readonly createdAt: string;
  /** Of the service account; empty if there is none. */
  readonly email: string;
}

/** @throws {IssuerError} `invalid-argument` */
export function readToken(payload: Uint8Array): ForeignToken {
  const text = payload.length > 65_536 ? '' : Buffer.from(payload).toString('latin1').trim();
  try {
    return readForeignToken(text);
  } catch (cause) {
    if (!(cause instanceof SpiffeError)) throw cause;
    throw new IssuerError('invalid-argument', `gcp_iit: unable to parse the identity token: ${cause.message}`, {
      cause,
    });
  }
}

/**
 * The instance of a token whose signature holds: for this audience, from Google, and now. `now` in Unix seconds.
 *
 * @throws {IssuerError} `permission-denied`
 */
export function instanceOf(claims: JsonObject, now: number): InstanceClaims {
  requireTimes(claims, now);
  const { aud } = claims;
  if (aud !== AUDIENCE && !(Array.isArray(aud) && aud.includes(AUDIENCE))) throw refused('it is for another audience');
  if (!ISSUERS.has(textOf(claims, 'iss') ?? '')) throw refused('it is not from Google');
  const google = claims['google'];
  const engine = isJsonObject(google) ? google['compute_engine'] : undefined;
  if (!isJsonObject(engine)) throw refused('it says nothing of an instance (is it of format "full"?)');
  const field = (member: string, form: RegExp): string => {
    const value = textOf(engine, member);
    if (value !== undefined && form.test(value)) return value;
    throw refused(`it has no usable ${member}`);
  };
  return {
    projectId: field('project_id', /^[a-z0-9][a-z0-9.:-]{1,127}$/),
    zone: field('zone', /^[a-z0-9][a-z0-9-]{1,63}$/),
    instanceId: field('instance_id', /^\d{1,20}$/),
    instanceName: field('instance_name', /^[a-z0-9][a-z0-9-]{0,62}$/),
    projectNumber: numberText(engine['project_number']),
    createdAt: numberText(engine['instance_creation_timestamp']),
    email: emailOf(claims),
  };
}

/** An address that Google has not verified names nobody. */
function emailOf(claims: JsonObject): string {
  const email = textOf(claims, 'email') ?? '';
  if (email === '' || claims['email_verified'] === false) return '';
  if (/^[\x21-\x7e]{1,256}$/.test(email)) return email;
  throw refused('it has no usable email');
}

function requireTimes({ exp, iat, nbf }: JsonObject, now: number): void {
  // Written so that a time that is no number refuses.
  if (!(typeof exp === 'number' && now < exp + LEEWAY)) throw refused('it has expired');
  for (const begin of [iat, nbf]) {
    if (begin !== undefined && !(typeof begin === 'number' && begin - LEEWAY <= now))
      throw refused('it is not valid yet');
  }
}

function numberText(value: unknown): string {
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : '';
}

function refused(reason: string): IssuerError {
  return new IssuerError('permission-denied', `gcp_iit: failed to validate the identity token claims: ${reason}`);
}

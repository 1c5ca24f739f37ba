import { SpiffeError, SpiffeId, TrustDomain } from '@steeple/spiffe';
import { UserError } from './exit.ts';

/** A SPIFFE ID as messages carry it. */
export interface WireId {
  readonly trustDomain: string;
  readonly path: string;
}

export function spiffeId(value: string, flag: string): WireId {
  try {
    const id = SpiffeId.parse(value);
    return { trustDomain: id.trustDomain.name, path: id.path };
  } catch (error) {
    if (!(error instanceof SpiffeError)) throw error;
    throw new UserError(
      `${flag}: '${value}' is not a SPIFFE ID: ${error.message}`,
      'write it as spiffe://example.org/path',
    );
  }
}

export function trustDomain(value: string, flag: string): string {
  try {
    return TrustDomain.fromIdOrName(value).name;
  } catch (error) {
    if (!(error instanceof SpiffeError)) throw error;
    throw new UserError(`${flag}: '${value}' is not a trust domain: ${error.message}`, 'write it as example.org');
  }
}

/** The text form of an id in a message; empty when there is none. */
export function idText(id: WireId | undefined): string {
  return id === undefined ? '' : `spiffe://${id.trustDomain}${id.path}`;
}

import { IssuerError } from '@steeple/core';
import { SpiffeError, SpiffeId, TrustDomain } from '@steeple/spiffe';

/** The wire form of an ID, and what any ID message looks like when read. */
export interface WireId {
  trustDomain: string;
  path: string;
}

export const wireId = (id: SpiffeId): WireId => ({ trustDomain: id.trustDomain.name, path: id.path });

/** Reads an ID message. @throws {IssuerError} `invalid-argument`, whose text the handler puts behind its own */
export const readId = (wire: WireId | undefined): SpiffeId => {
  if (!wire) throw new IssuerError('invalid-argument', 'request must specify SPIFFE ID');
  return orInvalid(() => SpiffeId.of(TrustDomain.parse(wire.trustDomain), wire.path));
};

/** Reads a trust domain given as a name or as its ID. @throws {IssuerError} `invalid-argument` */
export const readTrustDomain = (text: string): TrustDomain => orInvalid(() => TrustDomain.fromIdOrName(text));

/** Runs a reader of `@steeple/spiffe` and turns its refusal into the caller's mistake. */
export const orInvalid = <T>(read: () => T): T => {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof SpiffeError)) throw cause;
    throw new IssuerError('invalid-argument', cause.message, { cause });
  }
};

/** Puts the handler's text before the inner one, keeping the code: `failed to convert entry: invalid parent ID: …`. */
export const prefixed = <T>(prefix: string, read: () => T): T => {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof IssuerError)) throw cause;
    throw new IssuerError(cause.code, `${prefix}: ${cause.message}`, { cause, ...reasonOf(cause) });
  }
};

const reasonOf = ({ agentReason }: IssuerError): { agentReason?: NonNullable<IssuerError['agentReason']> } =>
  agentReason ? { agentReason } : {};

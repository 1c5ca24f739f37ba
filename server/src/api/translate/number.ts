import { IssuerError } from '@steeple/core';

/** Whole Unix seconds for the wire. */
export const wireTime = (seconds: number): bigint => BigInt(Math.floor(seconds));

/** A 64-bit number of the wire that our domain counts as an ordinary one. @throws {IssuerError} `invalid-argument` */
export const readInt = (value: bigint, name: string): number => {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new IssuerError('invalid-argument', `${name} is out of range`);
  return number;
};

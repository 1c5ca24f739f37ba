import type { KeyObject } from 'node:crypto';
import { IssuerError } from '@steeple/core';
import { localSigner } from '@steeple/spiffe';
import type { SigningKey } from './key-manager.ts';

/** A signing key whose private half is in this process. */
export function localKey(id: string, privateKey: KeyObject): SigningKey {
  return { ...localSigner(privateKey), id, privateKey };
}

/** @throws {IssuerError} `invalid-argument` */
export function requireKeyId(id: string): void {
  if (id === '' || id.length > 255) throw new IssuerError('invalid-argument', 'a key id has 1 to 255 characters');
}

/** The keys of a map, sorted by id. */
export function sortedKeys(keys: ReadonlyMap<string, SigningKey>): readonly SigningKey[] {
  return [...keys.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

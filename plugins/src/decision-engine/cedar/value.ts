import { EntityRef, type PolicyRecord, type PolicyValue } from '../decision-engine.ts';

/** A policy could not be evaluated: the request is denied, for a forbid may be the one that failed. */
export class EvaluationError extends Error {
  override readonly name = 'EvaluationError';
}

export function isSet(value: PolicyValue): value is readonly PolicyValue[] {
  return Array.isArray(value);
}

export function isRecord(value: PolicyValue): value is PolicyRecord {
  return typeof value === 'object' && !isSet(value) && !(value instanceof EntityRef);
}

/** Equality as Cedar has it: of any two values; of sets without regard to order and repetition. */
export function equal(a: PolicyValue, b: PolicyValue): boolean {
  if (typeof a !== 'object' || typeof b !== 'object') return a === b;
  if (a instanceof EntityRef) return b instanceof EntityRef && sameEntity(a, b);
  if (b instanceof EntityRef) return false;
  if (isSet(a)) return isSet(b) && a.every((each) => includes(b, each)) && b.every((each) => includes(a, each));
  if (isSet(b)) return false;
  const names = Object.keys(a as PolicyRecord);
  return (
    names.length === Object.keys(b as PolicyRecord).length &&
    names.every((name) => {
      const [own, other] = [memberOf(a as PolicyRecord, name), memberOf(b as PolicyRecord, name)];
      return own !== undefined && other !== undefined && equal(own, other);
    })
  );
}

export const sameEntity = (a: EntityRef, b: EntityRef): boolean => a.id === b.id && a.type === b.type;

export function includes(set: readonly PolicyValue[], value: PolicyValue): boolean {
  return set.some((each) => equal(each, value));
}

/** Own members only: a record has no `constructor` unless somebody put one there. */
export function memberOf(record: PolicyRecord, name: string): PolicyValue | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

export function bool(value: PolicyValue): boolean {
  return typeof value === 'boolean' ? value : fail('a Boolean was expected');
}

export function long(value: PolicyValue): number {
  return typeof value === 'number' ? value : fail('a Long was expected');
}

export function entity(value: PolicyValue): EntityRef {
  return value instanceof EntityRef ? value : fail('an entity was expected');
}

export function set(value: PolicyValue): readonly PolicyValue[] {
  return isSet(value) ? value : fail('a set was expected');
}

export function fail(message: string): never {
  throw new EvaluationError(message);
}

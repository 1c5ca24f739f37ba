import { TrustDomain } from '@steeple/spiffe';
import { LIMITS } from '../limits.ts';
import type { ObjectFields, ObjectProblem } from './object-fields.ts';

/** How texts are read that belong to other rooms. */
export interface SpecReaders {
  /** Seconds of a Go duration. @throws {Error} */
  readonly duration: (text: string) => number;
}

/** What every object has. */
export interface ObjectHead {
  readonly name: string;
  readonly className: string;
}

/** Reads what is particular to a kind; undefined when a problem was found that leaves nothing to make. */
export type SpecReader<T> = (
  head: ObjectHead,
  spec: ObjectFields,
  problems: ObjectProblem[],
  readers: SpecReaders,
) => T | undefined;

export const readSpec = <T>(
  read: SpecReader<T>,
  head: ObjectHead,
  spec: ObjectFields,
  problems: ObjectProblem[],
  readers: SpecReaders,
): T | undefined => {
  const made = read(head, spec, problems, readers);
  spec.noOthers();
  return made;
};

/** A lifetime in whole seconds; 0 when absent. */
export const readTtl = (spec: ObjectFields, name: string, { duration }: SpecReaders): number => {
  const text = spec.text(name);
  if (text === '') return 0;
  const seconds = spec.parsed(name, () => duration(text));
  if (seconds === undefined) return 0;
  if (Number.isSafeInteger(seconds) && seconds >= 0 && seconds <= LIMITS.ttlSeconds) return seconds;
  spec.refuse(name, `must be a whole number of seconds from 0 to ${LIMITS.ttlSeconds}, such as "1h"`);
  return 0;
};

/** Names of trust domains. */
export const readFederatesWith = (spec: ObjectFields): readonly string[] =>
  spec
    .texts('federatesWith')
    .flatMap((text, at) => spec.parsed(`federatesWith[${at}]`, () => TrustDomain.fromIdOrName(text).name) ?? []);

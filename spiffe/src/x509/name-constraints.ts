import { type DerElement, malformed } from '../der/reader.ts';
import { contextConstructed, contextPrimitive, TAG } from '../der/tags.ts';
import { readAscii } from '../der/text.ts';
import { GENERAL_NAME, GENERAL_NAME_TAGS } from './general-names.ts';

/** Kinds of names whose subtrees we can compare; a subtree of any other kind forbids all names of its kind. */
export type ConstrainedKind = 'uri' | 'dns' | 'ip' | 'email' | 'directory' | 'other';

export interface Subtree {
  readonly kind: ConstrainedKind;
  /** Empty for the kinds that are not compared. */
  readonly base: string;
}

/** The name constraints extension (RFC 5280 section 4.2.1.10). */
export interface NameConstraints {
  readonly critical: boolean;
  readonly permitted: readonly Subtree[];
  readonly excluded: readonly Subtree[];
}

const PERMITTED = contextConstructed(0);
const EXCLUDED = contextConstructed(1);
const MINIMUM = contextPrimitive(0);

const KINDS: ReadonlyMap<number, ConstrainedKind> = new Map([
  [GENERAL_NAME.uri, 'uri'],
  [GENERAL_NAME.dns, 'dns'],
  [GENERAL_NAME.ip, 'ip'],
  [GENERAL_NAME.email, 'email'],
  [GENERAL_NAME.directoryName, 'directory'],
]);

/** @throws SpiffeError `malformed-der` */
export function readNameConstraints(extension: DerElement, critical: boolean): NameConstraints {
  const reader = extension.reader();
  const permitted = readSubtrees(reader.optional(PERMITTED));
  const excluded = readSubtrees(reader.optional(EXCLUDED));
  reader.finish();
  if (permitted.length + excluded.length === 0) throw malformed('name constraints without a subtree');
  return { critical, permitted, excluded };
}

function readSubtrees(list: DerElement | undefined): Subtree[] {
  if (list === undefined) return [];
  const subtrees: Subtree[] = [];
  const reader = list.reader();
  if (reader.done) throw malformed('empty list of subtrees');
  while (!reader.done) {
    const subtree = reader.expect(TAG.sequence).reader();
    const base = subtree.next();
    if (!GENERAL_NAME_TAGS.has(base.tag)) throw malformed('subtree of an unknown kind of name');
    // RFC 5280: minimum is 0 (and so left out), maximum is absent.
    if (subtree.at(MINIMUM)) throw malformed('subtree with a minimum');
    subtree.finish();
    const kind = KINDS.get(base.tag) ?? 'other';
    const isText = kind === 'uri' || kind === 'dns';
    subtrees.push({ kind, base: isText ? readAscii(base) : '' });
  }
  return subtrees;
}

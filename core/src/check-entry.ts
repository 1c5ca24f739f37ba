import { type SpiffeId, TrustDomain } from '@steeple/spiffe';
import { dnsNameProblem } from './dns-name.ts';
import type { EntryDraft } from './entry.ts';
import { IssuerError } from './errors.ts';
import { LIMITS } from './limits.ts';
import { requireMember, requireWorkload } from './member-id.ts';
import type { Selector } from './selector.ts';
import { utf8Length } from './utf8-length.ts';

/**
 * Refuses an entry that must not be stored. The message is the inner text SPIRE would give, so that the server can put its
 * own prefix before it; the rules are stricter where SPIRE stores what no certificate should hold.
 *
 * @throws {IssuerError} `invalid-argument`
 */
export function checkEntry(draft: EntryDraft, trustDomain: TrustDomain): void {
  within('invalid parent ID', () => requireMember(draft.parentId, trustDomain));
  within('invalid spiffe ID', () => requireWorkload(draft.spiffeId, trustDomain));
  if (draft.id !== undefined) checkEntryId(draft.id);
  checkSelectors(draft.selectors);
  checkDnsNames(draft.dnsNames);
  checkFederation(draft.federatesWith);
  if (utf8Length(draft.hint) > LIMITS.hintBytes) {
    refuse(`hint is too long, max length is ${LIMITS.hintBytes} characters`);
  }
  checkNumbers(draft);
  checkStorable(draft);
}

/** Refuses an id that SPIRE would not store. @throws {IssuerError} `invalid-argument` */
export function checkEntryId(id: string): void {
  if (id.length > LIMITS.entryIdCharacters)
    refuse('datastore-validation: invalid registration entry: entry ID too long');
  if (id === '') refuse('missing entry ID');
  if (/[^A-Za-z0-9_.-]/.test(id)) {
    refuse('datastore-validation: invalid registration entry: entry ID contains invalid characters');
  }
}

/** Refuses a selector that is incomplete, ambiguous or oversized. @throws {IssuerError} `invalid-argument` */
export function checkSelector({ type, value }: Selector): void {
  if (type === '') refuse('missing selector type');
  if (type.includes(':')) refuse("selector type contains ':'");
  if (value === '') refuse('missing selector value');
  if (utf8Length(type) > LIMITS.selectorTypeBytes) {
    refuse(`selector type is longer than ${LIMITS.selectorTypeBytes} bytes`);
  }
  if (utf8Length(value) > LIMITS.selectorValueBytes) {
    refuse(`selector value is longer than ${LIMITS.selectorValueBytes} bytes`);
  }
}

function checkSelectors(selectors: readonly Selector[]): void {
  if (selectors.length === 0) refuse('selector list is empty');
  if (selectors.length > LIMITS.selectorsPerEntry) refuse(`more than ${LIMITS.selectorsPerEntry} selectors`);
  selectors.forEach(checkSelector);
}

function checkDnsNames(names: readonly string[]): void {
  if (names.length > LIMITS.dnsNamesPerEntry) refuse(`more than ${LIMITS.dnsNamesPerEntry} DNS names`);
  for (const name of names) {
    const problem = dnsNameProblem(name);
    if (problem !== undefined) refuse(`invalid DNS name: ${quoteShort(name)}: ${problem}`);
  }
}

function checkFederation(names: readonly string[]): void {
  if (names.length > LIMITS.federatedTrustDomainsPerEntry) {
    refuse(`more than ${LIMITS.federatedTrustDomainsPerEntry} federated trust domains`);
  }
  for (const name of names) within('invalid federated trust domain', () => TrustDomain.parse(name));
}

function checkNumbers(draft: EntryDraft): void {
  for (const [what, ttl] of [
    ['X509-SVID TTL', draft.x509SvidTtl],
    ['JWT-SVID TTL', draft.jwtSvidTtl],
  ] as const) {
    if (Number.isSafeInteger(ttl) && ttl >= 0 && ttl <= LIMITS.ttlSeconds) continue;
    refuse(`invalid ${what}: must be a whole number of seconds from 0 to ${LIMITS.ttlSeconds}`);
  }
  if (Number.isSafeInteger(draft.expiresAt) && draft.expiresAt >= 0) return;
  refuse('invalid expiry: must be Unix seconds, or 0 for never');
}

function checkStorable(draft: EntryDraft): void {
  if (!draft.storeSvid) return;
  if (new Set(draft.selectors.map((s) => s.type)).size > 1) {
    refuse(
      'datastore-validation: invalid registration entry: selector types must be the same when store SVID is enabled',
    );
  }
  if (draft.disableX509SvidPrefetch) {
    refuse('datastore-validation: specifying cache behaviour is incompatible with storable SVIDs');
  }
}

/** Runs a check of something named, and puts the name before its complaint. */
function within(what: string, check: () => SpiffeId | TrustDomain | void): void {
  try {
    check();
  } catch (error) {
    throw new IssuerError('invalid-argument', `${what}: ${(error as Error).message}`, { cause: error });
  }
}

function quoteShort(text: string): string {
  return JSON.stringify(text.length <= 64 ? text : `${text.slice(0, 64)}…`);
}

function refuse(message: string): never {
  throw new IssuerError('invalid-argument', message);
}

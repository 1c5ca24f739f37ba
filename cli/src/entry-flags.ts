// From the flags of `entry create`, `update` and `list` to messages.

import type { MessageInitShape } from '@bufbuild/protobuf';
import type { types } from '@steeple/proto/server-api';
import { UserError } from './exit.ts';
import { isOn, text, texts, wholeSeconds } from './flags.ts';
import { selector } from './selector-flag.ts';
import { spiffeId, trustDomain } from './spiffe-id-flag.ts';
import type { Options } from './verb.ts';

export type EntryInit = Exclude<MessageInitShape<typeof types.EntrySchema>, types.Entry>;

/** Only the fields whose flags were given. */
export function entryFields(options: Options): EntryInit {
  const id = text(options, 'spiffeId');
  const parent = text(options, 'parentId');
  const expiresAt = text(options, 'expiresAt');
  if (expiresAt !== undefined && !/^\d{1,15}$/.test(expiresAt)) {
    throw new UserError(
      `--expires-at: '${expiresAt}' is not a time`,
      'write it as Unix seconds, for example $(date -d tomorrow +%s)',
    );
  }
  const attributes = {
    ...(isOn(options, 'disableX509SvidPrefetch') && { disableX509SvidPrefetch: true }),
    ...(isOn(options, 'jwtSvidIncludeJti') && { jwtSvidIncludeJti: true }),
  };
  return {
    ...(id === undefined ? {} : { spiffeId: spiffeId(id, '--spiffe-id') }),
    ...(parent === undefined ? {} : { parentId: spiffeId(parent, '--parent-id') }),
    ...given(options, 'selector', { selectors: texts(options, 'selector').map(selector) }),
    ...given(options, 'x509SvidTtl', { x509SvidTtl: wholeSeconds(options, 'x509SvidTtl', '--x509-svid-ttl') }),
    ...given(options, 'jwtSvidTtl', { jwtSvidTtl: wholeSeconds(options, 'jwtSvidTtl', '--jwt-svid-ttl') }),
    ...given(options, 'dns', { dnsNames: [...texts(options, 'dns')] }),
    ...given(options, 'federatesWith', {
      federatesWith: texts(options, 'federatesWith').map((name) => trustDomain(name, '--federates-with')),
    }),
    ...given(options, 'hint', { hint: text(options, 'hint') ?? '' }),
    ...given(options, 'admin', { admin: true }),
    ...given(options, 'downstream', { downstream: true }),
    ...given(options, 'storeSvid', { storeSvid: true }),
    ...(expiresAt === undefined ? {} : { expiresAt: BigInt(expiresAt) }),
    ...(Object.keys(attributes).length > 0 && { additionalAttributes: attributes }),
  };
}

const given = <T extends object>(options: Options, name: string, fields: T): T | object =>
  options[name] === undefined ? {} : fields;

const matches: Readonly<Record<string, number>> = { exact: 0, subset: 1, superset: 2, any: 3 };

/** How lists match; SPIRE's numbers. Superset when nothing is said: the entry has at least these. */
export function matchBehavior(options: Options, flag: string = 'matchSelectorsOn'): number {
  return matches[text(options, flag) ?? 'superset'] ?? 2;
}

/** The filter of `entry list` and `entry count`. */
export function entryFilter(options: Options): object {
  const id = text(options, 'spiffeId');
  const parent = text(options, 'parentId');
  const selectors = texts(options, 'selector').map(selector);
  const domains = texts(options, 'federatesWith').map((name) => trustDomain(name, '--federates-with'));
  return {
    ...(id === undefined ? {} : { bySpiffeId: spiffeId(id, '--spiffe-id') }),
    ...(parent === undefined ? {} : { byParentId: spiffeId(parent, '--parent-id') }),
    ...(selectors.length === 0 ? {} : { bySelectors: { selectors, match: matchBehavior(options) } }),
    ...(domains.length === 0
      ? {}
      : { byFederatesWith: { trustDomains: domains, match: matchBehavior(options, 'matchFederatesWithOn') } }),
    ...given(options, 'hint', { byHint: text(options, 'hint') }),
    ...(isOn(options, 'downstream') ? { byDownstream: true } : {}),
  };
}

import { SpiffeId } from '@steeple/spiffe';
import { draftEntry } from '../entry.ts';
import { parseSelector } from '../selector.ts';
import type { ObjectFields } from './object-fields.ts';
import type { ClusterStaticEntry } from './registration-object.ts';
import { readFederatesWith, readTtl, type SpecReader } from './spec.ts';

export const readStaticEntry: SpecReader<ClusterStaticEntry> = (head, spec, _, readers) => {
  const spiffeId = readId(spec, 'spiffeID');
  const parentId = readId(spec, 'parentID');
  const texts = spec.texts('selectors');
  if (texts.length === 0) spec.refuse('selectors', 'must name at least one, such as "unix:uid:1000"');
  const selectors = texts.flatMap((text, at) => spec.parsed(`selectors[${at}]`, () => parseSelector(text)) ?? []);
  const attributes = {
    x509SvidTtl: readTtl(spec, 'x509SVIDTTL', readers),
    jwtSvidTtl: readTtl(spec, 'jwtSVIDTTL', readers),
    federatesWith: readFederatesWith(spec),
    dnsNames: spec.texts('dnsNames'),
    hint: spec.text('hint'),
    admin: spec.flag('admin'),
    downstream: spec.flag('downstream'),
    storeSvid: spec.flag('storeSVID'),
  };
  if (spiffeId === undefined || parentId === undefined) return undefined;
  return { kind: 'ClusterStaticEntry', ...head, draft: draftEntry({ spiffeId, parentId, selectors, ...attributes }) };
};

const readId = (spec: ObjectFields, name: string): SpiffeId | undefined => {
  const text = spec.requiredText(name);
  return text === '' ? undefined : spec.parsed(name, () => SpiffeId.parse(text));
};

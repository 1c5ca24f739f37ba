import { readLabelSelector } from './label-selector.ts';
import type { ObjectFields } from './object-fields.ts';
import type { ClusterSpiffeId } from './registration-object.ts';
import { readFederatesWith, readTtl, type SpecReader } from './spec.ts';
import { Template } from './template/template.ts';

export const readClusterSpiffeId: SpecReader<ClusterSpiffeId> = (head, spec, problems, readers) => {
  const source = spec.requiredText('spiffeIDTemplate');
  const spiffeId = spec.parsed('spiffeIDTemplate', () => new Template('spiffeIDTemplate', source));
  const parts = {
    dnsNames: readTemplates(spec, 'dnsNameTemplates'),
    workloadSelectors: readTemplates(spec, 'workloadSelectorTemplates'),
    selectsNamespace: readLabelSelector(spec.value('namespaceSelector'), spec.path('namespaceSelector'), problems),
    selectsPod: readLabelSelector(spec.value('podSelector'), spec.path('podSelector'), problems),
    autoPopulateDnsNames: spec.flag('autoPopulateDNSNames'),
    fallback: spec.flag('fallback'),
    attributes: {
      x509SvidTtl: readTtl(spec, 'ttl', readers),
      jwtSvidTtl: readTtl(spec, 'jwtTtl', readers),
      federatesWith: readFederatesWith(spec),
      admin: spec.flag('admin'),
      downstream: spec.flag('downstream'),
      hint: spec.text('hint'),
    },
  };
  return spiffeId && { kind: 'ClusterSPIFFEID', ...head, spiffeId, ...parts };
};

const readTemplates = (spec: ObjectFields, name: string): readonly Template[] =>
  spec.texts(name).flatMap((source, at) => {
    const place = `${name}[${at}]`;
    return spec.parsed(place, () => new Template(place, source)) ?? [];
  });

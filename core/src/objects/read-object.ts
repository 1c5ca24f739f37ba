import { readClusterSpiffeId } from './cluster-spiffe-id.ts';
import { readFederatedTrustDomain } from './federated-trust-domain.ts';
import { ObjectFields, type ObjectProblem } from './object-fields.ts';
import { OBJECT_API_VERSION, ObjectError, type RegistrationObject } from './registration-object.ts';
import { readSpec, type SpecReader, type SpecReaders } from './spec.ts';
import { readStaticEntry } from './static-entry.ts';

type Kind = RegistrationObject['kind'];

const READERS: Readonly<Record<Kind, SpecReader<RegistrationObject>>> = {
  ClusterSPIFFEID: readClusterSpiffeId,
  ClusterStaticEntry: readStaticEntry,
  ClusterFederatedTrustDomain: readFederatedTrustDomain,
};

/**
 * Reads an object of `spire.spiffe.io/v1alpha1` from JSON.
 *
 * @throws {ObjectError} with every problem and its field
 */
export function readRegistrationObject(value: unknown, readers: SpecReaders): RegistrationObject {
  const problems: ObjectProblem[] = [];
  const fields = new ObjectFields(value, '', problems);
  const kind = fields.requiredText('kind');
  const apiVersion = fields.requiredText('apiVersion');
  const name = fields.object('metadata').requiredText('name');
  fields.value('status');
  const spec = fields.object('spec');
  fields.noOthers();
  if (apiVersion !== '' && apiVersion !== OBJECT_API_VERSION) {
    fields.refuse('apiVersion', `must be ${OBJECT_API_VERSION}`);
  }
  if (!isKind(kind)) {
    if (kind !== '') fields.refuse('kind', `must be one of ${Object.keys(READERS).join(', ')}`);
    throw new ObjectError(`object ${JSON.stringify(name)}`, problems);
  }
  const object = readSpec(READERS[kind], { name, className: spec.text('className') }, spec, problems, readers);
  if (object === undefined || problems.length > 0) throw new ObjectError(`${kind} ${JSON.stringify(name)}`, problems);
  return object;
}

const isKind = (kind: string): kind is Kind => Object.hasOwn(READERS, kind);

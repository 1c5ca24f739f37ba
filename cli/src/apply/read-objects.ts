import {
  type ClusterFederatedTrustDomain,
  type ClusterStaticEntry,
  OBJECT_API_VERSION,
  ObjectError,
  readRegistrationObject,
} from '@steeple/core';
import { parseDuration } from '@steeple/daemon';
import { parseAllDocuments } from 'yaml';
import { UserError } from '../exit.ts';
import type { ManifestFile } from './manifest-files.ts';

/** What the files ask for. */
export interface Objects {
  readonly entries: readonly ClusterStaticEntry[];
  readonly domains: readonly ClusterFederatedTrustDomain[];
  /** Objects of other systems, which were passed over. */
  readonly others: readonly string[];
}

const CLUSTER_ONLY =
  'only a cluster has the pods it speaks of: apply it there with kubectl, and let the server register them with `kubernetes { registrar { … } }`; for a process outside of a cluster write a ClusterStaticEntry';

/** Reads every document of the files, and refuses all of them if one is wrong. @throws {UserError} with every problem */
export function readObjects(files: readonly ManifestFile[]): Objects {
  const entries = new Map<string, ClusterStaticEntry>();
  const domains = new Map<string, ClusterFederatedTrustDomain>();
  const others: string[] = [];
  const problems: string[] = [];
  for (const { place, value } of files.flatMap((file) => documentsOf(file, problems))) {
    const { apiVersion, kind } = value as { apiVersion?: unknown; kind?: unknown };
    if (typeof apiVersion === 'string' && typeof kind === 'string' && !isOurs(apiVersion)) {
      others.push(`${place}: ${kind} of ${apiVersion}`);
      continue;
    }
    try {
      const object = readRegistrationObject(value, { duration: parseDuration });
      if (object.kind === 'ClusterSPIFFEID') problems.push(`${place}: ClusterSPIFFEID ${object.name}: ${CLUSTER_ONLY}`);
      else if (object.kind === 'ClusterStaticEntry') addOnce(entries, object.name, object, place, problems);
      else addOnce(domains, object.relationship.trustDomain.name, object, place, problems);
    } catch (error) {
      if (!(error instanceof ObjectError)) throw error;
      problems.push(`${place}: ${error.message}`);
    }
  }
  if (problems.length > 0) throw new UserError(problems.join('\nerror: '), 'nothing was changed');
  return { entries: [...entries.values()], domains: [...domains.values()], others };
}

const isOurs = (apiVersion: string): boolean => apiVersion.split('/')[0] === OBJECT_API_VERSION.split('/')[0];

const addOnce = <T extends { readonly kind: string; readonly name: string }>(
  to: Map<string, T>,
  key: string,
  object: T,
  place: string,
  problems: string[],
): void => {
  const first = to.get(key);
  if (first === undefined) to.set(key, object);
  else problems.push(`${place}: ${object.kind} ${key} is there twice, the first time as ${first.name}`);
};

interface Placed {
  /** File and line. */
  readonly place: string;
  readonly value: object;
}

const documentsOf = (file: ManifestFile, problems: string[]): Placed[] =>
  [...parseAllDocuments(file.text, { version: '1.2', prettyErrors: false })].flatMap((document) => {
    const place = `${file.name}:${lineAt(file.text, document.contents?.range?.[0] ?? 0)}`;
    const [error] = document.errors;
    if (error !== undefined) {
      problems.push(`${file.name}:${lineAt(file.text, error.pos[0])}: ${error.message}`);
      return [];
    }
    try {
      return itemsOf(document.toJS({ maxAliasCount: 100 }) as unknown, place, problems);
    } catch (cause) {
      problems.push(`${place}: ${(cause as Error).message}`);
      return [];
    }
  });

/** An empty document is nothing, and a List what is in it. */
const itemsOf = (value: unknown, place: string, problems: string[]): Placed[] => {
  if (value === null || value === undefined) return [];
  if (typeof value !== 'object' || Array.isArray(value)) {
    problems.push(`${place}: a document must be an object with apiVersion and kind`);
    return [];
  }
  const { kind, items } = value as { kind?: unknown; items?: unknown };
  if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(items)) return [{ place, value }];
  return items.flatMap((item, at) => itemsOf(item, `${place}: items[${at}]`, problems));
};

const lineAt = (text: string, offset: number): number => text.slice(0, offset).split('\n').length;

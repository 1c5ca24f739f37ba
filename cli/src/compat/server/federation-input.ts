import type { MessageInitShape } from '@bufbuild/protobuf';
import type { types } from '@steeple/proto/server-api';
import { CommandError, explain, explainNow } from '../command-error.ts';
import { stringFlag } from '../go/flag-kind.ts';
import type { FlagSpec, FlagValues } from '../go/flag-set.ts';
import { quote } from '../go/quote.ts';
import type { CompatIo } from '../io.ts';
import { readInput, readJson } from '../read-input.ts';
import { readId } from '../spiffe-id.ts';
import { readBundle } from './bundle-text.ts';

export type RelationshipInit = Exclude<
  MessageInitShape<typeof types.FederationRelationshipSchema>,
  types.FederationRelationship
>;

/** The flags that describe a relationship. */
export const relationshipFlags: readonly FlagSpec[] = [
  {
    name: 'data',
    kind: stringFlag,
    usage:
      "Path to a file containing federation relationships in JSON format (optional). If set to '-', read the JSON from stdin.",
  },
  { name: 'trustDomain', kind: stringFlag, usage: 'Name of the trust domain to federate with (e.g., example.org)' },
  {
    name: 'bundleEndpointURL',
    kind: stringFlag,
    usage: 'URL of the SPIFFE bundle endpoint that provides the trust bundle (must use the HTTPS protocol)',
  },
  {
    name: 'bundleEndpointProfile',
    kind: stringFlag,
    usage: 'Endpoint profile type (either "https_web" or "https_spiffe")',
  },
  {
    name: 'endpointSpiffeID',
    kind: stringFlag,
    usage: "SPIFFE ID of the SPIFFE bundle endpoint server. Only used for 'spiffe' profile.",
  },
  { name: 'trustDomainBundlePath', kind: stringFlag, usage: 'Path to the trust domain bundle data (optional).' },
  {
    name: 'trustDomainBundleFormat',
    kind: stringFlag,
    usage: 'The format of the bundle data (optional). Either "pem" or "spiffe".',
    initial: 'pem',
  },
];

interface Described {
  readonly trustDomain: string;
  readonly bundleEndpointURL: string;
  readonly bundleEndpointProfile: string;
  readonly endpointSPIFFEID: string;
  /** Reads the first bundle, of the trust domain that the endpoint is in. */
  readonly bundle?: (trustDomain: string) => MessageInitShape<typeof types.BundleSchema>;
}

/** The relationships that the flags, or the file that they name, describe. @throws {CommandError} */
export async function readRelationships(flags: FlagValues, io: CompatIo): Promise<RelationshipInit[]> {
  if (flags.text('data') === '') return [relationship(await described(flags, io))];
  const others = relationshipFlags.slice(1).filter(({ name, initial = '' }) => flags.text(name) !== initial);
  if (others.length > 0) {
    throw new CommandError("cannot use other flags to specify relationship fields when 'data' flag is set");
  }
  const text = await readInput(flags.text('data'), io);
  const json = explainNow('failed to parse JSON', () => readJson(text)) as { federationRelationships?: unknown } | null;
  const items = json?.federationRelationships ?? [];
  if (!Array.isArray(items)) throw new CommandError('failed to parse JSON: federationRelationships must be a list');
  return items.map((item, index) => explainNow(`could not parse item ${index}`, () => relationship(fromFile(item))));
}

const described = async (flags: FlagValues, io: CompatIo): Promise<Described> => {
  const path = flags.text('trustDomainBundlePath');
  const format = flags.text('trustDomainBundleFormat');
  const text = path === '' ? undefined : await explain('cannot read bundle file', readInput(path, io));
  return {
    trustDomain: flags.text('trustDomain'),
    bundleEndpointURL: flags.text('bundleEndpointURL'),
    bundleEndpointProfile: flags.text('bundleEndpointProfile'),
    endpointSPIFFEID: flags.text('endpointSpiffeID'),
    ...(text !== undefined && {
      bundle: (domain) =>
        explainNow('cannot parse bundle file', () => readBundle(text, format === 'pem' ? 'pem' : 'spiffe', domain)),
    }),
  };
};

const fromFile = (item: unknown): Described => {
  const fields = (typeof item === 'object' && item !== null ? item : {}) as Record<string, unknown>;
  const text = (name: string): string => (typeof fields[name] === 'string' ? fields[name] : '');
  const { trustDomainBundle } = fields;
  return {
    trustDomain: text('trustDomain'),
    bundleEndpointURL: text('bundleEndpointURL'),
    bundleEndpointProfile: text('bundleEndpointProfile'),
    endpointSPIFFEID: text('endpointSPIFFEID'),
    ...(trustDomainBundle !== undefined && {
      bundle: (domain) =>
        explainNow('cannot parse bundle raw message', () =>
          embedded(trustDomainBundle, text('trustDomainBundleFormat'), domain),
        ),
    }),
  };
};

const embedded = (value: unknown, format: string, domain: string): MessageInitShape<typeof types.BundleSchema> => {
  if (format === 'spiffe') return readBundle(JSON.stringify(value), format, domain);
  if (format !== 'pem') throw new CommandError(`bundle format ${quote(format)} is unsupported`);
  if (typeof value !== 'string') throw new CommandError('failed to unmarshal json: a PEM bundle must be a string');
  return readBundle(value, format, domain);
};

const relationship = (given: Described): RelationshipInit => {
  if (given.trustDomain === '') throw new CommandError('trust domain is required');
  if (given.bundleEndpointURL === '') throw new CommandError('bundle endpoint URL is required');
  const { trustDomain, bundleEndpointURL: bundleEndpointUrl } = given;
  switch (given.bundleEndpointProfile) {
    case 'https_web':
      return {
        trustDomain,
        bundleEndpointUrl,
        bundleEndpointProfile: { case: 'httpsWeb', value: {} },
        ...bundlePart(given, trustDomain),
      };
    case 'https_spiffe': {
      const endpointSpiffeId = given.endpointSPIFFEID;
      if (endpointSpiffeId === '') {
        throw new CommandError("endpoint SPIFFE ID is required if 'https_spiffe' endpoint profile is set");
      }
      const endpoint = explainNow('cannot parse bundle endpoint SPIFFE ID', () => readId(endpointSpiffeId));
      return {
        trustDomain,
        bundleEndpointUrl,
        bundleEndpointProfile: { case: 'httpsSpiffe', value: { endpointSpiffeId } },
        ...bundlePart(given, endpoint.trustDomain),
      };
    }
    default:
      throw new CommandError(`unknown bundle endpoint profile type: ${quote(given.bundleEndpointProfile)}`);
  }
};

const bundlePart = ({ bundle }: Described, domain: string): Pick<RelationshipInit, 'trustDomainBundle'> =>
  bundle === undefined ? {} : { trustDomainBundle: bundle(domain) };

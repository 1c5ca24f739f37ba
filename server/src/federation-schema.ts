import { endpointUrlProblem } from '@steeple/core';
import { duration, fingerprint, flag, integer, labelledBlocks, parsed, singleBlock } from '@steeple/daemon/config';
import { SpiffeError, SpiffeId, TrustDomain } from '@steeple/spiffe';
import { z } from 'zod';

const text = z.string().min(1, 'must not be empty');
const empty = singleBlock(z.strictObject({}).optional());

/** Exactly one of the blocks that may stand there. */
const oneOf = <T extends z.ZodRawShape>(blocks: T, what: string) =>
  singleBlock(
    z
      .strictObject(blocks)
      .refine(
        (value) => Object.values(value).filter((one) => one !== undefined).length === 1,
        `needs exactly one ${what}`,
      ),
  );

const servingCertFile = singleBlock(
  z.strictObject({
    cert_file_path: text,
    key_file_path: text,
    file_sync_interval: duration.refine((seconds) => seconds >= 1, 'must be at least one second').default(3600),
  }),
);

const acme = singleBlock(
  z.strictObject({
    directory_url: z
      .string()
      .refine((url) => URL.canParse(url) && new URL(url).protocol === 'https:', 'must be an https URL')
      .default('https://acme-v02.api.letsencrypt.org/directory'),
    domain_name: text,
    email: text,
    tos_accepted: flag().default(false),
  }),
);

const httpsWeb = oneOf(
  { serving_cert_file: servingCertFile.optional(), acme: acme.optional() },
  'of serving_cert_file and acme',
);

/** Blocks `profile "https_web" { … }`: what HCL, YAML and JSON make of a labelled block, as one object. */
const labelled = <T extends z.ZodType>(block: T) => z.preprocess(mergeLabels, block);

function mergeLabels(value: unknown): unknown {
  if (!Array.isArray(value) || !value.every((one) => typeof one === 'object' && one !== null)) return value;
  const labels = value.flatMap((one) => Object.keys(one as object));
  // Two blocks of one label stay a list, which the schema then refuses.
  return new Set(labels).size === labels.length ? (Object.assign({}, ...value) as unknown) : value;
}

const bundleEndpoint = singleBlock(
  z.strictObject({
    address: text.default('0.0.0.0'),
    port: integer(z.int().min(0).max(65_535)),
    refresh_hint: duration.refine((seconds) => seconds >= 60, 'must be at least one minute').default(300),
    profile: labelled(
      oneOf({ https_web: httpsWeb.optional(), https_spiffe: presentBlock() }, 'profile: https_web or https_spiffe'),
    ).default({ https_spiffe: {} }),
    acme: z.custom((value) => value === undefined, 'stands in the profile "https_web" now: move it there').optional(),
  }),
);

/** A block without settings: there or not. */
function presentBlock() {
  return z.preprocess((value) => (value === null ? {} : value), empty);
}

const spiffeId = parsed((value) => SpiffeId.parse(value), SpiffeError);

const endpointUrl = z.string().superRefine((url, context) => {
  const problem = endpointUrlProblem(url);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

const FIRST = ['trust_domain_bundle_path', 'trust_domain_bundle_url', 'trust_domain_bundle_pin'] as const;

const relationship = z
  .strictObject({
    bundle_endpoint_url: endpointUrl,
    bundle_endpoint_profile: labelled(
      oneOf(
        {
          https_web: presentBlock(),
          https_spiffe: singleBlock(z.strictObject({ endpoint_spiffe_id: spiffeId })).optional(),
        },
        'profile: https_web or https_spiffe',
      ),
    ),
    /** Ours: where the first bundle comes from, so that `https_spiffe` needs no `bundle set` by hand. */
    trust_domain_bundle_path: text.optional(),
    trust_domain_bundle_format: z.enum(['pem', 'spiffe']).default('spiffe'),
    trust_domain_bundle_url: endpointUrl.optional(),
    trust_domain_bundle_pin: fingerprint.optional(),
  })
  .superRefine((block, context) => {
    const given = FIRST.filter((key) => block[key] !== undefined);
    const [, second] = given;
    if (second !== undefined) {
      context.addIssue({ code: 'custom', path: [second], message: `cannot be used together with ${given[0]}` });
    }
  });

/** The `federation` block, with SPIRE's names. */
export const federationSchema = singleBlock(
  z.strictObject({
    bundle_endpoint: bundleEndpoint.optional(),
    federates_with: labelledBlocks(relationship).default({}),
  }),
);

export type FederationFile = z.infer<typeof federationSchema>;
export type RelationshipBlock = z.infer<typeof relationship>;

/** The trust domain that a label of `federates_with` names; undefined if it names none. */
export const federatedTrustDomain = (label: string): TrustDomain | undefined => {
  try {
    return TrustDomain.fromIdOrName(label);
  } catch {
    return undefined;
  }
};

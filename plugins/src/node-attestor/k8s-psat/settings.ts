import { flag, labelledBlocks, oneOrMany } from '@steeple/daemon/config';
import { z } from 'zod';

const name = z.string().min(1);
const TOKEN_REVIEW_ONLY = "was a setting of SPIRE's k8s_sat; remove it, or set token_validation";

const cluster = z
  .strictObject({
    /** `<namespace>:<name>` of the service accounts that agents run as. */
    service_account_allow_list: oneOrMany(z.string().regex(/^[^:]+:[^:]+$/, 'must be "<namespace>:<service account>"')),
    /** Empty: tokens for the cluster's own API. */
    audience: oneOrMany(name).optional(),
    /** Empty: the cluster that this server runs in. */
    kube_config_file: z.string().optional(),
    allowed_node_label_keys: oneOrMany(name),
    allowed_pod_label_keys: oneOrMany(name),
    use_pod_uid_for_agent_id: flag().default(false),
    /** Whether the cluster judges the token, or its signature does. */
    token_validation: z.enum(['token_review', 'jwks']).default('token_review'),
    /** With `jwks`: the cluster's keys; without it they are asked from its API. */
    jwks_file: name.optional(),
    /** With `jwks_file`: the cluster's `--service-account-issuer`. */
    issuer: name.optional(),
    /** Whether the pod and its node are looked up; only `jwks` can do without. */
    pod_lookup: flag().default(true),
    /** Whether the agent must connect from an address of its pod or node. */
    verify_client_ip: flag().default(false),
    use_token_review_api_for_validation: z
      .unknown()
      .refine((value) => value === undefined, TOKEN_REVIEW_ONLY)
      .optional(),
  })
  .superRefine((given, context) => {
    const problem = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    const offline = given.token_validation === 'jwks';
    if (given.service_account_allow_list.length === 0) {
      problem('service_account_allow_list', 'must have at least one service account');
    }
    if (!offline && given.jwks_file !== undefined) problem('jwks_file', 'needs token_validation = "jwks"');
    if (!offline && !given.pod_lookup) problem('pod_lookup', 'may be false only with token_validation = "jwks"');
    if (offline && given.audience?.length === 0)
      problem('audience', 'must not be empty with token_validation = "jwks"');
    if ((given.jwks_file === undefined) !== (given.issuer === undefined)) {
      problem('issuer', 'belongs to jwks_file: set both or none');
    }
    if (given.pod_lookup) return;
    for (const key of ['allowed_node_label_keys', 'allowed_pod_label_keys'] as const) {
      if (given[key].length > 0) problem(key, 'needs pod_lookup: a token says nothing about labels');
    }
    if (given.verify_client_ip) problem('verify_client_ip', 'needs pod_lookup: a token says nothing about addresses');
  });

/** How one cluster's agents are judged. */
export type ClusterSettings = z.infer<typeof cluster>;

/** A name becomes a segment of its agents' SPIFFE IDs. */
const SEGMENT = /^(?!\.{1,2}$)[A-Za-z0-9._-]+$/;

/** One block for each cluster, by the name that its agents send. */
const clusters = labelledBlocks(cluster)
  .refine(
    (given) => Object.keys(given).every((key) => SEGMENT.test(key)),
    'the name of a cluster consists of letters, digits, ".", "-" and "_"',
  )
  .refine((given) => Object.values(given).every((blocks) => blocks.length === 1), 'each cluster may stand once')
  .transform(
    (given): ReadonlyMap<string, ClusterSettings> =>
      new Map(Object.entries(given).flatMap(([key, [block]]) => (block ? [[key, block] as const] : []))),
  );

/** What a `clusters_file` holds. */
export const clustersFileSchema = z.strictObject({ clusters });

export const verifierSchema = z.strictObject({
  clusters: clusters.optional(),
  /** More of them in a file of their own, which is read again when it changes. */
  clusters_file: name.optional(),
});
export type VerifierConfig = z.infer<typeof verifierSchema>;

export const proverSchema = z.strictObject({
  cluster: name,
  token_path: z.string().optional(),
});

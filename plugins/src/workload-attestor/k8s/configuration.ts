import { duration } from '@steeple/daemon/config';
import { z } from 'zod';

const DIRECTORY = '/var/run/secrets/kubernetes.io/serviceaccount';
const path = z.string().min(1);
const port = z.int().min(0).max(65_535);

/** 0 is what an unset number is in SPIRE. */
const positive = (otherwise: number) => (value: number) => (value > 0 ? value : otherwise);

/** A setting of SPIRE's that would change what is attested. */
const unsupported = (why: string) =>
  z
    .unknown()
    .refine((value) => value === undefined, why)
    .optional();

export const k8sSchema = z
  .strictObject({
    /** Of the kubelet's own plain HTTP on the loopback interface; usually 10255. */
    kubelet_read_only_port: port.default(0),
    /** Of the kubelet's HTTPS. */
    kubelet_secure_port: port.default(0),
    kubelet_ca_path: path.default(`${DIRECTORY}/ca.crt`),
    skip_kubelet_verification: z.boolean().default(false),
    token_path: path.optional(),
    certificate_path: path.optional(),
    private_key_path: path.optional(),
    use_anonymous_authentication: z.boolean().default(false),
    /** The variable of the environment that holds the node's name, and the name itself. */
    node_name_env: path.default('MY_NODE_NAME'),
    node_name: path.optional(),
    max_poll_attempts: z.int().min(0).default(0).transform(positive(60)),
    poll_retry_interval: duration.default(0).transform(positive(0.5)),
    reload_interval: duration.default(0).transform(positive(60)),
    /** Not in SPIRE: seconds for which the kubelet's list is good for a container that stands in it. */
    pod_list_max_age: duration.default(10),
    disable_container_selectors: z.boolean().default(false),
    enable_namespace_labels: z.boolean().default(false),
    verbose_container_locator_logs: z.boolean().default(false),
    use_new_container_locator: z
      .boolean()
      .default(true)
      .refine((value) => value, 'the legacy container locator is not supported: leave this out'),
    disable_kubelet_client: z
      .boolean()
      .default(false)
      .refine((value) => !value, 'is not supported: nothing is attested here without the kubelet'),
    sigstore: unsupported('is not supported yet'),
    experimental: unsupported('is not supported: there is neither a cache of the API server nor a broker'),
  })
  .refine(
    (c) => c.certificate_path === undefined || c.private_key_path !== undefined,
    '"certificate_path" needs "private_key_path"',
  )
  .refine(
    (c) => c.private_key_path === undefined || c.certificate_path !== undefined,
    '"private_key_path" needs "certificate_path"',
  )
  .refine(
    (c) => !c.use_anonymous_authentication || (c.certificate_path ?? c.token_path) === undefined,
    'set only one of "use_anonymous_authentication", "certificate_path" and "token_path"',
  )
  .refine(
    (c) => c.kubelet_read_only_port === 0 || c.kubelet_secure_port === 0,
    'set only one of "kubelet_read_only_port" and "kubelet_secure_port"',
  )
  .transform((c) => ({
    ...c,
    kubelet_secure_port: c.kubelet_secure_port || 10_250,
    token_path: c.token_path ?? `${DIRECTORY}/token`,
  }));
export type K8sConfig = z.infer<typeof k8sSchema>;

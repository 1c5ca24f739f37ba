import { PARENT_ID_TEMPLATE, Template } from '@steeple/core';
import { asList, flag, singleBlock } from '@steeple/daemon/config';
import { z } from 'zod';

const template = (name: string) =>
  z.string().transform((source, context) => {
    try {
      return new Template(name, source);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
      return z.NEVER;
    }
  });

const pattern = z.string().transform((source, context) => {
  try {
    return new RegExp(source, 'u');
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
    return z.NEVER;
  }
});

const IGNORED = ['kube-system', 'kube-public', 'spire-system'];

const registrar = z.strictObject({
  class_name: z.string().min(1).optional(),
  watch_classless: flag().optional(),
  /** As spire-controller-manager has them: regular expressions that match anywhere in the name. */
  ignore_namespaces: z.preprocess((value) => asList(value ?? IGNORED), z.array(pattern)),
  parent_id_template: template('parent_id_template').prefault(PARENT_ID_TEMPLATE),
  entry_id_prefix: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,128}$/, 'must be letters, digits, "-" and "_"')
    .optional(),
});

/** The names of a signer: a domain, a slash, a path (certificates.k8s.io). */
const SIGNER = /^[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?\.[a-z0-9-]+\/[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

const podCertificates = z.strictObject({
  signer_name: z
    .string()
    .max(571)
    .regex(SIGNER, 'must be a domain and a name, such as "example.org/x509-svid"')
    .default('steeple.dev/x509-svid'),
});

const dnsName = z.string().regex(/^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/, 'must be a name of Kubernetes');

export const kubernetesSchema = singleBlock(
  z.strictObject({
    cluster_name: z.string().regex(/^[A-Za-z0-9_.-]{1,128}$/, 'must be letters, digits, "-", "_" and "."'),
    cluster_domain: z.string().default('cluster.local'),
    /** Without it the service account of the pod that the server runs in. */
    kube_config_file: z.string().min(1).optional(),
    /** Without it this server works for the cluster, whoever else does. */
    lease: singleBlock(z.strictObject({ namespace: dnsName, name: dnsName.default('steeple-server') })).optional(),
    registrar: singleBlock(registrar).optional(),
    pod_certificates: singleBlock(podCertificates).optional(),
  }),
);

export type KubernetesFile = z.infer<typeof kubernetesSchema>;

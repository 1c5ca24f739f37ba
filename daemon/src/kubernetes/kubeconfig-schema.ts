import { z } from 'zod';

/** Empty means unset, as kubectl has it. */
const text = z
  .string()
  .nullish()
  .transform((value) => value || undefined);

const cluster = z.looseObject({
  server: z.string().min(1),
  'certificate-authority': text,
  'certificate-authority-data': text,
  'tls-server-name': text,
  'insecure-skip-tls-verify': z.boolean().nullish(),
  'proxy-url': text,
});

const user = z.looseObject({
  'client-certificate': text,
  'client-certificate-data': text,
  'client-key': text,
  'client-key-data': text,
  token: text,
  tokenFile: text,
  /** Judged if this user is the one that is meant. */
  exec: z.unknown().optional(),
});

const context = z.looseObject({ cluster: z.string().min(1), user: text, namespace: text });

const listOf = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((list) => list ?? []);

/** Kubernetes' `client.authentication` file, as far as it is read here. */
export const kubeconfigSchema = z.looseObject({
  'current-context': text,
  clusters: listOf(z.looseObject({ name: z.string(), cluster })),
  users: listOf(z.looseObject({ name: z.string(), user: user.nullish() })),
  contexts: listOf(z.looseObject({ name: z.string(), context })),
});

export type Kubeconfig = z.infer<typeof kubeconfigSchema>;
export type KubeconfigCluster = z.infer<typeof cluster>;
export type KubeconfigUser = z.infer<typeof user>;

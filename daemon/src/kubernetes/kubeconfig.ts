import { dirname, resolve } from 'node:path';
import { systemClock } from '../clock.ts';
import { parseConfig } from '../config/read-config-file.ts';
import { ConfigError } from '../config-error.ts';
import type { KubernetesAccess, KubernetesConnection } from './connection.ts';
import { readExec, runExecCredential } from './exec-credential.ts';
import { ExecMemory } from './exec-memory.ts';
import { type Kubeconfig, type KubeconfigCluster, type KubeconfigUser, kubeconfigSchema } from './kubeconfig-schema.ts';
import { KubernetesError } from './kubernetes-error.ts';
import { readAccessFile } from './read-access-file.ts';

/** What a kubeconfig may say that this client cannot do; doing less than it says would be a riddle. */
const UNSUPPORTED = ['auth-provider', 'username', 'password', 'as', 'as-uid', 'as-groups', 'as-user-extra'];

/** The way that a kubeconfig file describes, read anew at each call; `context` instead of its current one. */
export function kubeconfigAccess(
  path: string,
  { context, now = () => systemClock.now() }: { readonly context?: string; readonly now?: () => number } = {},
): KubernetesAccess {
  const memory = new ExecMemory();
  return async () => {
    const file = parse(path, await readAccessFile(path, 'the kubeconfig'));
    const fault = (message: string): never => {
      throw new KubernetesError('access', `the kubeconfig ${path}: ${message}`);
    };
    const wanted = context ?? file['current-context'] ?? fault('current-context is not set');
    const chosen =
      file.contexts.find(({ name }) => name === wanted)?.context ?? fault(`there is no context "${wanted}"`);
    const cluster =
      file.clusters.find(({ name }) => name === chosen.cluster)?.cluster ??
      fault(`there is no cluster "${chosen.cluster}"`);
    const user = file.users.find(({ name }) => name === chosen.user)?.user ?? undefined;
    if (chosen.user !== undefined && user === undefined) fault(`there is no user "${chosen.user}"`);
    const unsupported = UNSUPPORTED.find((key) => user !== undefined && Object.hasOwn(user, key));
    if (unsupported !== undefined) {
      fault(`user.${unsupported} is not supported; use token, tokenFile, exec or a client certificate`);
    }
    if (cluster['insecure-skip-tls-verify']) fault('insecure-skip-tls-verify is not supported; name the CA instead');
    if (cluster['proxy-url']) fault('proxy-url is not supported');
    const connection = await connectionOf(path, cluster, user, chosen.namespace ?? 'default');
    const exec = readExec(user?.exec);
    if (!exec || connection.token !== undefined || connection.identity !== undefined) return connection;
    const told = await memory.get(JSON.stringify(exec), now, () => runExecCredential(exec, path));
    return { ...connection, token: told.token, identity: identityOf(path, told.certificate, told.key) };
  };
}

async function connectionOf(
  path: string,
  cluster: KubeconfigCluster,
  user: KubeconfigUser | undefined,
  namespace: string,
): Promise<KubernetesConnection> {
  // Paths in a kubeconfig are relative to it.
  const load = async (data: string | undefined, file: string | undefined, what: string) => {
    if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
    return file === undefined ? undefined : readAccessFile(resolve(dirname(path), file), what);
  };
  const [ca, certificate, key, token] = await Promise.all([
    load(cluster['certificate-authority-data'], cluster['certificate-authority'], 'certificate-authority'),
    load(user?.['client-certificate-data'], user?.['client-certificate'], 'client-certificate'),
    load(user?.['client-key-data'], user?.['client-key'], 'client-key'),
    load(undefined, user?.tokenFile, 'tokenFile'),
  ]);
  return {
    server: cluster.server.replace(/\/+$/, ''),
    ca,
    identity: identityOf(path, certificate, key),
    serverName: cluster['tls-server-name'],
    // The file wins, as with kubectl: it is renewed.
    token: token?.trim() ?? user?.token,
    namespace,
  };
}

function identityOf(path: string, certificate: string | undefined, key: string | undefined) {
  if (certificate !== undefined && key !== undefined) return { certificate, key };
  if (certificate === undefined && key === undefined) return undefined;
  throw new KubernetesError('access', `the kubeconfig ${path}: client certificate and client key belong together`);
}

function parse(path: string, content: string): Kubeconfig {
  let value: unknown;
  try {
    ({ value } = parseConfig(content, 'yaml', { file: path }));
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    throw new KubernetesError('access', `the kubeconfig ${cause.message.split('\n')[0]}`, { cause });
  }
  const read = kubeconfigSchema.safeParse(value);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new KubernetesError('access', `the kubeconfig ${path}: ${issue?.path.join('.')}: ${issue?.message}`);
}

import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import type { Environment } from '../config/expand-env.ts';
import type { KubernetesAccess } from './connection.ts';
import { KubernetesError } from './kubernetes-error.ts';
import { readAccessFile } from './read-access-file.ts';

const DIRECTORY = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The way that every pod has: the service account's token and the cluster's CA, read anew at each call. */
export function inClusterAccess(env: Environment = process.env, directory = DIRECTORY): KubernetesAccess {
  return async () => {
    const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
    if (!host || !port) {
      throw new KubernetesError(
        'access',
        'KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set: this process does not run in a pod; give it a kubeconfig file',
      );
    }
    const [token, ca, namespace] = await Promise.all([
      readAccessFile(join(directory, 'token'), 'the service account token'),
      readAccessFile(join(directory, 'ca.crt'), "the cluster's CA"),
      // Missing where only the token is projected.
      readAccessFile(join(directory, 'namespace'), 'the namespace').catch(() => 'default'),
    ]);
    return {
      server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
      ca,
      identity: undefined,
      serverName: undefined,
      token: token.trim(),
      namespace: namespace.trim(),
    };
  };
}

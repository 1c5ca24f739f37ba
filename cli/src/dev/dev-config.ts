import { join } from 'node:path';

export interface DevSettings {
  readonly dir: string;
  readonly trustDomain: string;
  readonly port: number;
  readonly logLevel: string;
}

export const serverSocketOf = (dir: string): string => join(dir, 'server', 'api.sock');
export const agentSocketOf = (dir: string): string => join(dir, 'agent', 'api.sock');
export const bundleFileOf = (dir: string): string => join(dir, 'bundle.pem');

/** A server for one machine, in the form of its file. */
export function devServer({ dir, trustDomain, port, logLevel }: DevSettings): object {
  return {
    server: {
      trust_domain: trustDomain,
      bind_address: '127.0.0.1',
      bind_port: port,
      data_dir: join(dir, 'server'),
      socket_path: serverSocketOf(dir),
      log_level: logLevel,
      experimental: { feature_flags: ['wit-svid'] },
    },
  };
}

/** The agent beside it. */
export function devAgent({ dir, trustDomain, port, logLevel }: DevSettings, joinToken: string | undefined): object {
  return {
    agent: {
      trust_domain: trustDomain,
      server_address: '127.0.0.1',
      server_port: port,
      data_dir: join(dir, 'agent'),
      socket_path: agentSocketOf(dir),
      trust_bundle_path: bundleFileOf(dir),
      log_level: logLevel,
      experimental: { feature_flags: ['wit-svid'] },
      ...(joinToken === undefined ? {} : { join_token: joinToken }),
    },
    plugins: { WorkloadAttestor: { unix: { plugin_data: { discover_workload_path: true } } } },
  };
}

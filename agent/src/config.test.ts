import { writeFile } from 'node:fs/promises';
import { ConfigError } from '@steeple/daemon';
import { configOf, parseConfig } from '@steeple/daemon/config';
import { tempDir } from '@steeple/test-kit';
import { describe, expect, it } from 'vitest';
import { agentConfigOf, parseAgentConfig } from './config.ts';
import { checkPlugins } from './load-plugins.ts';

const minimal = { trust_domain: 'a.test', server_address: 'server', trust_bundle_path: '/b.pem' };
const problems = (agent: Record<string, unknown>, plugins: Record<string, unknown> = {}) => {
  try {
    agentConfigOf({ agent: { ...minimal, ...agent }, plugins }, {});
  } catch (error) {
    if (error instanceof ConfigError)
      return error.problems.map(({ path, message }) => `${path}: ${message}`).join('\n');
    throw error;
  }
  return '';
};

describe('the agent’s configuration', () => {
  it('reads a SPIRE agent.conf as it is', () => {
    const config = parseAgentConfig(
      parseConfig(
        `agent {
          data_dir = "/opt/data"
          log_level = "DEBUG"
          trust_domain = "example.org"
          server_address = "spire-server"
          server_port = "8081"
          socket_path = "/tmp/agent.sock"
          trust_bundle_path = "/opt/bundle.pem"
          workload_x509_svid_key_type = "rsa-2048"
          availability_target = "24h"
          allowed_foreign_jwt_claims = ["email"]
          experimental { sync_interval = "10s" }
        }
        plugins {
          NodeAttestor "x509pop" { plugin_data { private_key_path = "/k" certificate_path = "/c" } }
          KeyManager "disk" { plugin_data { directory = "/opt/data" } }
          WorkloadAttestor "unix" { plugin_data { discover_workload_path = true } }
        }`.replace('"8081"', '8081'),
        'hcl',
      ),
      {},
    );
    expect(config).toMatchObject({
      server: { host: 'spire-server', port: 8081, requirePostQuantum: false },
      socketPath: '/tmp/agent.sock',
      dataDir: '/opt/data',
      logLevel: 'debug',
      trust: { kind: 'file', path: '/opt/bundle.pem', format: 'pem' },
      workloadKeyType: 'rsa-2048',
      availabilityTarget: 86_400,
      syncInterval: 10,
      allowedForeignJwtClaims: ['email'],
      profiles: { x509: true, jwt: true, wit: false },
      nodeAttestor: { name: 'x509pop', data: { private_key_path: '/k', certificate_path: '/c' } },
      workloadAttestors: [{ name: 'unix', data: { discover_workload_path: true } }],
    });
    expect(config.trustDomain.name).toBe('example.org');
  });

  it('has defaults that work without a plugins block', async () => {
    const config = agentConfigOf({ agent: { ...minimal, join_token: 'secret' } }, { XDG_RUNTIME_DIR: '/run/user/1' });
    expect(config.socketPath).toBe('/run/user/1/steeple/agent/api.sock');
    expect(agentConfigOf({ agent: minimal }, {}).socketPath).toBe('/run/steeple/agent/api.sock');
    expect([config.keyManager.name, config.nodeAttestor.name, config.syncInterval]).toEqual(['disk', 'join_token', 5]);
    await checkPlugins(config);
  });

  it('understands fingerprints as they are printed', () => {
    const pin = 'AB:'.repeat(31) + 'AB';
    const { trust } = agentConfigOf(
      { agent: { ...minimal, trust_bundle_path: undefined, trust_bundle_pin: `SHA256:${pin}` } },
      {},
    );
    expect(trust).toEqual({ kind: 'pin', sha256: 'ab'.repeat(32) });
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['a misspelt key', { server_adress: 'x' }, /server_adress.*did you mean "server_address"/],
    [
      'a socket path of 108 bytes',
      { socket_path: `/tmp/${'s'.repeat(103)}` },
      /agent\.socket_path: .*108 bytes; at most/,
    ],
    ['a SPIRE setting that is not supported', { experimental: { broker: {} } }, /experimental.broker: .*not supported/],
    ['one of another system', { experimental: { named_pipe_name: 'x' } }, /named_pipe_name: .*use socket_path/],
    ['a profile of Go', { profiling_enabled: true }, /profiling_enabled: .*--cpu-prof/],
    ['an unknown mode of rebootstrap', { rebootstrap_mode: 'sometimes' }, /rebootstrap_mode: must be one of/],
    [
      'a rebootstrap that believes everybody',
      { trust_bundle_path: undefined, insecure_bootstrap: true, rebootstrap_mode: 'auto' },
      /rebootstrap_mode: cannot be used with insecure_bootstrap/,
    ],
    ['a rebootstrap by a join token', { rebootstrap_mode: 'always' }, /rebootstrap_mode: .*join token is used once/],
    ['a negative cache', { x509_svid_cache_max_size: -1 }, /x509_svid_cache_max_size: must not be negative/],
    [
      'a delegate of another trust domain',
      { authorized_delegates: ['spiffe://b.test/x'] },
      /authorized_delegates: spiffe:\/\/b.test\/x is not in/,
    ],
    ['a delegate that is none', { authorized_delegates: ['x'] }, /authorized_delegates/],
    [
      'an admin socket that workloads may see',
      { socket_path: '/run/a/public/api.sock', admin_socket_path: '/run/a/public/private/admin.sock' },
      /admin_socket_path: must not be in the folder/,
    ],
    ['two names for one secret', { sds: { default_bundle_name: 'ALL' } }, /sds: .*must differ/],
    [
      'the address of no Workload API',
      { trust_bundle_path: undefined, trust_bundle_spiffe_workload_api: 'http://x' },
      /trust_bundle_spiffe_workload_api: must be the address/,
    ],
    ['a wrong trust domain', { trust_domain: 'Not A Domain' }, /trust_domain/],
    ['two sources of trust', { insecure_bootstrap: true }, /insecure_bootstrap: trust_bundle_path is set already/],
    ['no source of trust', { trust_bundle_path: undefined }, /agent: how to trust the server is missing/],
    [
      'a bundle over http',
      { trust_bundle_path: undefined, trust_bundle_url: 'http://x/b' },
      /trust_bundle_url: must be an https URL/,
    ],
    [
      'a pin that is none',
      { trust_bundle_path: undefined, trust_bundle_pin: 'abc' },
      /trust_bundle_pin: must be a SHA-256/,
    ],
    ['two join tokens', { join_token: 'a', join_token_file: '/b' }, /join_token_file: join_token is set already/],
    ['a short availability target', { availability_target: '1h' }, /availability_target: must be at least 24h/],
    ['an unknown feature', { experimental: { feature_flags: ['x'] } }, /feature_flags/],
    ['no port', { server_port: 0 }, /server_port/],
    ['an unknown key type', { workload_x509_svid_key_type: 'dsa' }, /workload_x509_svid_key_type: must be one of/],
  ])('refuses %s', (_what, agent, expected) => {
    expect(problems(agent)).toMatch(expected);
  });

  it('takes over SPIRE’s settings for sockets, caches and logs', () => {
    const more = {
      server_port: '8081',
      admin_socket_path: '/run/a/private/admin.sock',
      socket_path: '/run/a/public/api.sock',
      authorized_delegates: ['spiffe://a.test/proxy'],
      disable_workload_api: true,
      sds: { default_svid_name: 'me' },
      log_file: '/var/log/agent.log',
      log_format: 'JSON',
      x509_svid_cache_max_size: 0,
      jwt_svid_cache_max_size: 7,
      rebootstrap_mode: 'auto',
      retry_bootstrap: true,
      profiling_enabled: false,
      experimental: { ratelimit: { fetch_x509_svid: 5 }, jwt_svid_cache_hit_timeout: '7s' },
    };
    const config = agentConfigOf({ agent: { ...minimal, ...more } }, {});
    expect(config).toMatchObject({
      server: { port: 8081 },
      adminSocketPath: '/run/a/private/admin.sock',
      workloadApi: false,
      secretDiscovery: {
        names: { svid: 'me', bundle: 'ROOTCA', allBundles: 'ALL' },
        disableSpiffeCertValidation: false,
      },
      logFile: '/var/log/agent.log',
      logFormat: 'json',
      x509CacheSize: 1000,
      jwtCache: { maxSize: 7, hitTimeout: 7 },
      rebootstrap: { mode: 'auto', delay: 600 },
      rateLimits: { fetch_x509_svid: 5, fetch_secrets: 0 },
    });
    expect(config.authorizedDelegates.map(String)).toEqual(['spiffe://a.test/proxy']);
  });

  it('attests with a token whatever attestor is configured beside it, whose settings must be right too', async () => {
    for (const token of [{ join_token: 't' }, { join_token_file: '/t' }]) {
      const x509pop = { plugin_data: { private_key_path: '/k', certificate_path: '/c' } };
      const config = agentConfigOf({ agent: { ...minimal, ...token }, plugins: { NodeAttestor: { x509pop } } }, {});
      expect(config.nodeAttestor).toMatchObject({ name: 'join_token', data: token });
      expect(config.idleNodeAttestor?.name).toBe('x509pop');
      await checkPlugins(config);
    }
    const wrong = { NodeAttestor: { x509pop: { plugin_data: { typo: 1 } } } };
    const config = agentConfigOf({ agent: { ...minimal, join_token: 't' }, plugins: wrong }, {});
    await expect(checkPlugins(config)).rejects.toThrow('plugins.NodeAttestor.x509pop.plugin_data');
    expect(agentConfigOf({ agent: { ...minimal, join_token: 't' } }, {}).idleNodeAttestor).toBeUndefined();
  });

  it('refuses two key managers, and to bootstrap again with a token', () => {
    expect(problems({}, { KeyManager: { disk: {}, memory: {} } })).toMatch(/plugins.KeyManager: exactly one/);
    expect(problems({ join_token: 't', rebootstrap_mode: 'always' }, { NodeAttestor: { x509pop: {} } })).toMatch(
      /rebootstrap_mode: .*join token is used once/,
    );
  });

  it('judges plugin settings where they stand, without repeating secrets', async () => {
    const document = parseConfig(
      'agent {\n trust_domain = "a.test"\n server_address = "x"\n insecure_bootstrap = true\n join_token = "s3cret"\n}\nplugins {\n WorkloadAttestor "unix" {\n  plugin_data {\n   discover = true\n  }\n }\n}\n',
      'hcl',
      { file: 'agent.conf' },
    );
    const error = await checkPlugins(parseAgentConfig(document, {})).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(error).toBeInstanceOf(ConfigError);
    const [problem] = (error as ConfigError).problems;
    expect(problem).toMatchObject({
      file: 'agent.conf',
      line: 10,
      path: 'plugins.WorkloadAttestor.unix.plugin_data.discover',
    });
    expect((error as ConfigError).message).not.toContain('s3cret');
    await expect(
      checkPlugins(parseAgentConfig(configOf({ agent: minimal, plugins: { WorkloadAttestor: { unx: {} } } }), {})),
    ).rejects.toThrow(/unx/);
  });

  it('reads a plugin’s settings from a file of their own, and judges them there', async () => {
    await using dir = await tempDir();
    const file = dir.join('unix.json');
    const config = (body: object) =>
      parseAgentConfig(configOf({ agent: minimal, plugins: { WorkloadAttestor: { unix: body } } }), {});
    await writeFile(file, '{ "discover_workload_path": true }');
    expect(config({ plugin_data_file: file }).workloadAttestors[0]?.data).toEqual({ discover_workload_path: true });
    await writeFile(file, '{\n  "discover": true\n}');
    await expect(checkPlugins(config({ plugin_data_file: file }))).rejects.toMatchObject({
      problems: [{ file, line: 2, path: 'plugins.WorkloadAttestor.unix.plugin_data.discover' }],
    });
    expect(() => config({ plugin_data_file: file, plugin_data: {} })).toThrow(/plugin_data_file: plugin_data is set/);
    expect(() => config({ plugin_data_file: dir.join('none') })).toThrow(/unix\.plugin_data_file: cannot read .*none/);
  });
});

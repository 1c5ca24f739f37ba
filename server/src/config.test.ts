import { ConfigError } from '@steeple/daemon';
import { parseConfig } from '@steeple/daemon/config';
import { describe, expect, it } from 'vitest';
import { parseServerConfig, type ServerConfig } from './config.ts';

const parse = (
  hcl: string,
  env: Record<string, string> = { HOME: '/home/me', XDG_RUNTIME_DIR: '/run/user/7', XDG_STATE_HOME: '/s' },
): ServerConfig => parseServerConfig(parseConfig(hcl, 'hcl', { file: 'server.conf' }), env);

const refusal = (hcl: string): string => {
  try {
    parse(hcl);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('the configuration was accepted');
};

const server = (lines: string): string => `server {\n  trust_domain = "example.org"\n  ${lines}\n}\n`;

describe('parseServerConfig', () => {
  it('needs a trust domain and nothing else', () => {
    const config = parse('server { trust_domain = "example.org" }');
    expect(config).toMatchObject({
      bindAddress: '0.0.0.0',
      bindPort: 8081,
      socketPath: '/run/user/7/steeple/server/api.sock',
      dataDir: '/s/steeple/server',
      caTtl: 86_400,
      x509SvidTtl: 3600,
      agentTtl: 3600,
      jwtSvidTtl: 300,
      rateLimit: { attestation: true, signing: true },
      jwtEnabled: true,
      witEnabled: false,
    });
    expect(config.trustDomain.name).toBe('example.org');
    expect(config.plugins).toMatchObject({
      datastore: { name: 'sql' },
      keyManager: { name: 'disk' },
      nodeVerifiers: [{ name: 'join_token' }],
    });
    expect(Object.isFrozen(config)).toBe(true);
    expect(parse(server(''), {}).socketPath).toBe('/run/steeple/server/api.sock');
  });

  it('reads what a SPIRE user has', () => {
    const config = parse(
      `
      server {
        bind_address = "127.0.0.1"
        bind_port = "8081"
        trust_domain = "spiffe://example.org"
        data_dir = "/opt/spire/data"
        log_level = "DEBUG"
        ca_ttl = "168h"
        default_x509_svid_ttl = "48h"
        ca_subject { country = ["US"] organization = ["SPIFFE"] common_name = "" }
        admin_ids = ["spiffe://example.org/admin"]
        ratelimit { attestation = false }
        experimental { feature_flags = ["wit-svid"] cache_reload_interval = "1s" }
      }
      plugins {
        DataStore "sql" { plugin_data { database_type = "sqlite3" connection_string = "/opt/d.sqlite3" } }
        KeyManager "memory" { plugin_data {} }
        NodeAttestor "join_token" { plugin_data {} }
        NodeAttestor "x509pop" { plugin_data { ca_bundle_path = "ca.pem" } }
        NodeAttestor "off" { enabled = false }
      }`.replace('"8081"', '8081'),
    );
    expect(config).toMatchObject({
      logLevel: 'debug',
      caTtl: 604_800,
      x509SvidTtl: 172_800,
      agentTtl: 172_800,
      witEnabled: true,
    });
    expect(config.rateLimit).toEqual({ attestation: false, signing: true });
    expect(config.adminIds.map(String)).toEqual(['spiffe://example.org/admin']);
    expect(config.plugins.nodeVerifiers).toEqual([
      { name: 'join_token', data: {} },
      { name: 'x509pop', data: { ca_bundle_path: 'ca.pem' } },
    ]);
  });

  it.each([
    ['server {}', /server\.trust_domain: is required/],
    [server('trustdomain = "x"'), /trustdomain: unknown key, did you mean "trust_domain"/],
    ['server { trust_domain = "Example.org" }', /server\.trust_domain/],
    [server('ca_ttl = "1 day"'), /server\.ca_ttl: not a duration/],
    [server('ca_ttl = "0"'), /server\.ca_ttl: must be at least one second/],
    [server('bind_port = 70000'), /server\.bind_port/],
    [server('ca_key_type = "ed25519"'), /server\.ca_key_type: must be one of/],
    [server('admin_ids = ["example.org/admin"]'), /server\.admin_ids/],
    [
      server('profiling_enabled = true'),
      /server\.profiling_enabled: is a setting of SPIRE that this server does not support yet/,
    ],
    [server('profiling_port = 6060'), /server\.profiling_port: is a setting of SPIRE/],
    [server('experimental { wit_issuer = "https://example.org" }'), /wit_issuer: must not be a URL/],
    [
      `${server('')}plugins { UpstreamAuthority "disk" { plugin_data {} } UpstreamAuthority "spire" { } }`,
      /plugins\.UpstreamAuthority: only one UpstreamAuthority/,
    ],
    [
      `${server('')}plugins { KeyManager "disk" {} KeyManager "memory" {} }`,
      /plugins\.KeyManager: only one KeyManager/,
    ],
    [`${server('')}plugins { Notifier "k8sbundle" { } }`, /Notifier: is a setting of SPIRE/],
  ])('refuses %j', (hcl, message) => {
    expect(refusal(hcl)).toMatch(message);
  });

  it('refuses a socket path that the kernel would not take, also one that only becomes too long when it is resolved', () => {
    const path = (bytes: number) => server(`socket_path = "/tmp/${'s'.repeat(bytes - 5)}"`);
    expect(refusal(path(108))).toMatch(/^server\.conf:3:\d+: server\.socket_path: .* 108 bytes; at most 107/);
    expect(parse(path(107)).socketPath).toHaveLength(107);
    expect(refusal(server(`socket_path = "${'s'.repeat(107)}"`))).toMatch(/server\.socket_path: .*at most 107/);
  });

  it("takes numbers and switches as texts too, as SPIRE's own example does", () => {
    const config = parse(server('bind_port = "8082"\n audit_log_enabled = "true"\n log_level = "WARNING"'));
    expect([config.bindPort, config.auditLog, config.logLevel]).toEqual([8082, true, 'warn']);
    expect(refusal(server('bind_port = "70000"'))).toMatch(/server\.bind_port/);
    expect(refusal(server('audit_log_enabled = "yes"'))).toMatch(/server\.audit_log_enabled/);
  });

  it('tells the place of every problem', () => {
    const message = refusal(server('bind_port = 70000\n  ca_ttl = "x"'));
    expect(message).toMatch(/server\.conf:3:\d+: server\.bind_port/);
    expect(message).toMatch(/server\.conf:4:\d+: server\.ca_ttl/);
  });
});

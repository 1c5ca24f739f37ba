import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
    [server('profiling_enabled = true'), /server\.profiling_enabled: this profiles the Go runtime/],
    [server('profiling_port = 6060'), /server\.profiling_port: this profiles the Go runtime/],
    [server('log_source_location = true'), /server\.log_source_location: lines of the log do not say where/],
    [
      server('proxy_protocol_trusted_cidrs = ["10.0.0.0"]'),
      /proxy_protocol_trusted_cidrs.*is not a range of addresses/,
    ],
    [server('proxy_protocol_trusted_cidrs = ["::/129"]'), /proxy_protocol_trusted_cidrs.*is not a range of addresses/],
    [server('prune_attested_nodes_expired_for = "x"'), /server\.prune_attested_nodes_expired_for: not a duration/],
    [server('prune_attested_nodes_batch_size = -1'), /server\.prune_attested_nodes_batch_size/],
    [server('max_attested_node_info_staleness = "soon"'), /max_attested_node_info_staleness: not a duration/],
    [server('experimental { auth_opa_policy_engine { } }'), /auth_opa_policy_engine: who may call what/],
    [server('experimental { wit_issuer = "https://example.org" }'), /wit_issuer: must not be a URL/],
    [
      `${server('')}plugins { UpstreamAuthority "disk" { plugin_data {} } UpstreamAuthority "spire" { } }`,
      /plugins\.UpstreamAuthority: only one UpstreamAuthority/,
    ],
    [
      `${server('')}plugins { KeyManager "disk" {} KeyManager "memory" {} }`,
      /plugins\.KeyManager: only one KeyManager/,
    ],
    [`${server('')}plugins { CredentialComposer "uniqueid" { } }`, /CredentialComposer: is a setting of SPIRE/],
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

  it("reads SPIRE's settings about agents, load balancers and the log", () => {
    const config = parse(
      server(`
        log_file = "/var/log/server.log"
        log_source_location = false
        proxy_protocol_trusted_cidrs = ["10.0.0.0/8", "2001:db8::/32"]
        prune_attested_nodes_expired_for = "24h"
        prune_tofu_nodes = true
        max_attested_node_info_staleness = "5s"
        experimental { agent_spiffe_id_as_selector = true }
      `),
    );
    expect(config).toMatchObject({
      logFile: '/var/log/server.log',
      trustedProxies: ['10.0.0.0/8', '2001:db8::/32'],
      agentPruning: { expiredFor: 86_400, batchSize: 1000, tofu: true },
      agentIdAsSelector: true,
    });
    expect(parse(server('prune_tofu_nodes = true'))).toMatchObject({
      agentPruning: undefined,
      trustedProxies: undefined,
    });
  });

  describe('plugin_data_file', () => {
    const withFile = (name: string, content: string | undefined, more = ''): string => {
      const path = join(mkdtempSync(join(tmpdir(), 'st-data-')), name);
      if (content !== undefined) writeFileSync(path, content);
      return `${server('')}plugins { KeyManager "disk" { plugin_data_file = "${path}" ${more} } }`;
    };

    it.each([
      ['data.conf', 'keys_path = "k.json"'],
      ['data.json', '{"keys_path": "k.json"}'],
      ['data.yaml', 'keys_path: k.json'],
    ])('takes the settings from %s', (name, content) => {
      expect(parse(withFile(name, content)).plugins.keyManager).toEqual({
        name: 'disk',
        data: { keys_path: 'k.json' },
      });
    });

    it.each([
      [withFile('none.conf', undefined), /plugins\.KeyManager\.disk\.plugin_data_file: cannot read .*none\.conf/],
      [withFile('broken.conf', 'keys_path = '), /broken\.conf:1/],
      [withFile('both.conf', '', 'plugin_data { }'), /plugin_data_file: plugin_data is set already; only one may be/],
    ])('refuses %j', (hcl, message) => {
      expect(refusal(hcl)).toMatch(message);
    });
  });

  it('tells the place of every problem', () => {
    const message = refusal(server('bind_port = 70000\n  ca_ttl = "x"'));
    expect(message).toMatch(/server\.conf:3:\d+: server\.bind_port/);
    expect(message).toMatch(/server\.conf:4:\d+: server\.ca_ttl/);
  });
});

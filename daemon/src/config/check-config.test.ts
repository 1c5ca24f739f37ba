import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ConfigError } from '../config-error.ts';
import { labelledBlocks, singleBlock } from './blocks.ts';
import { checkConfig, checkValue } from './check-config.ts';
import { duration } from './durations.ts';
import { parseConfig } from './read-config-file.ts';

const schema = z.strictObject({
  server: singleBlock(
    z.strictObject({
      trust_domain: z.string(),
      bind_port: z.union([z.int(), z.string().regex(/^[0-9]+$/, 'must be a port')]).optional(),
      ca_ttl: duration.optional(),
      log_level: z.enum(['INFO', 'DEBUG']).default('INFO'),
      secret: z.string().max(4).optional(),
      ratelimit: z.strictObject({ attestation: z.boolean() }).optional(),
    }),
  ),
  plugins: labelledBlocks(z.strictObject({ plugin_data: z.strictObject({ size: z.number() }).optional() })),
});

function problems(text: string): string[] {
  try {
    checkConfig(schema, parseConfig(text, 'hcl', { file: 'x.conf' }));
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
}

describe('checkConfig', () => {
  it('yields the typed value with its defaults', () => {
    const text = 'server { trust_domain = "example.org" ca_ttl = "1h30m" }';
    const value = checkConfig(schema, parseConfig(text, 'hcl'));
    expect(value.server).toEqual({ trust_domain: 'example.org', ca_ttl: 5400, log_level: 'INFO' });
    expect(value.plugins).toEqual({});
  });

  it('reports every problem with its place and what was meant', () => {
    const text = [
      'server {',
      '  trust_domian = "example.org"',
      '  ca_ttl = "1 hour"',
      '  log_level = "debug"',
      '  ratelimit { atestation = true }',
      '}',
      'plugins { memory { plugin_data { size = "x" sizes = 1 } } }',
      'sever {}',
    ].join('\n');
    expect(problems(text)).toEqual([
      'x.conf:1:1: server.trust_domain: is required',
      'x.conf:2:3: server.trust_domian: unknown key, did you mean "trust_domain"?',
      'x.conf:3:3: server.ca_ttl: not a duration: write a number with a unit (ns, us, ms, s, m, h), such as "1h30m"',
      'x.conf:4:3: server.log_level: must be one of "INFO" and "DEBUG"',
      'x.conf:5:3: server.ratelimit.attestation: is required',
      'x.conf:5:15: server.ratelimit.atestation: unknown key, did you mean "attestation"?',
      'x.conf:7:34: plugins.memory.0.plugin_data.size: must be a number',
      'x.conf:7:45: plugins.memory.0.plugin_data.sizes: unknown key, did you mean "size"?',
      'x.conf:8:1: sever: unknown key, did you mean "server"?',
    ]);
  });

  it('explains alternatives', () => {
    expect(problems('server { trust_domain = "a" bind_port = true }')).toEqual([
      'x.conf:1:29: server.bind_port: must be a number, or must be a text',
    ]);
  });

  it('suggests nothing far-fetched', () => {
    expect(problems('server { trust_domain = "a" zzz = 1 }')).toEqual(['x.conf:1:29: server.zzz: unknown key']);
  });

  it('never repeats a value', () => {
    const text =
      'server { trust_domain = "a" secret = "hunter2-very-secret" ca_ttl = "hunter2" log_level = "hunter2" }';
    expect(problems(text)).toHaveLength(3);
    expect(problems(text).join()).not.toContain('hunter2');
  });

  it('treats keys of the prototype as unknown', () => {
    expect(problems('server { trust_domain = "a" __proto__ { x = 1 } constructor = 1 }')).toEqual([
      'x.conf:1:29: server.__proto__: unknown key',
      'x.conf:1:49: server.constructor: unknown key',
    ]);
  });

  it('refuses a schema that would drop keys', () => {
    const loose = z.strictObject({ a: z.array(z.object({ b: z.string() })).optional() });
    expect(() => checkValue(loose, {})).toThrow(TypeError);
    expect(() => checkValue(loose, {})).toThrow(TypeError);
  });

  it('checks values made in the program', () => {
    expect(() => checkValue(schema, { server: { trust_domain: 1 } })).toThrow('server.trust_domain: must be a text');
  });
});

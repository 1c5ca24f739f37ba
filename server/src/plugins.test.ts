import { ConfigError } from '@steeple/daemon';
import { configOf } from '@steeple/daemon/config';
import { describe, expect, it } from 'vitest';
import { parseServerConfig } from './config.ts';
import { checkPlugins } from './plugins.ts';

const config = (plugins: object) =>
  parseServerConfig(configOf({ server: { trust_domain: 'example.org' }, plugins }), { HOME: '/h' });

describe('checkPlugins', () => {
  it('accepts the defaults', async () => {
    await checkPlugins(config({}));
  });

  it('names every plugin and setting at fault', async () => {
    const bad = config({
      DataStore: { sql: { plugin_data: { database_type: 'oracle', connection_string: 'x' } } },
      KeyManager: { disk: { plugin_data: { key_path: 'x' } } },
      NodeAttestor: { telepathy: {} },
    });
    const error = await checkPlugins(bad).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(ConfigError);
    const message = String(error);
    expect(message).toMatch(/plugins\.DataStore\.sql\.plugin_data\.database_type: /);
    expect(message).toMatch(/plugins\.KeyManager\.disk\.plugin_data\.key_path: unknown key, did you mean "keys_path"/);
    expect(message).toMatch(/plugins\.NodeAttestor: there is no node-verifier "telepathy"/);
  });
});

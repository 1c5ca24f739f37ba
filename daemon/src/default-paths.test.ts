import { homedir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { defaultDataDir, defaultSocket } from './default-paths.ts';

describe('default paths', () => {
  it('are the user’s own where the system gives him folders', () => {
    expect(defaultSocket('server', { XDG_RUNTIME_DIR: '/run/user/7' })).toBe('/run/user/7/steeple/server/api.sock');
    expect(defaultDataDir('agent', { XDG_STATE_HOME: '/s' })).toBe('/s/steeple/agent');
  });

  it.each([{}, { XDG_RUNTIME_DIR: '' }])('are shared ones else: %j', (env) => {
    expect(defaultSocket('agent', env)).toBe('/run/steeple/agent/api.sock');
    const own = process.getuid?.() === 0 ? '/var/lib/steeple/server' : `${homedir()}/.local/state/steeple/server`;
    expect(defaultDataDir('server', env)).toBe(own);
  });
});

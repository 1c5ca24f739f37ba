import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Code } from '@steeple/proto/grpc';
import { describe, expect, it } from 'vitest';
import { HEADER, Home, until } from './home.ts';

const BLOCKS = {
  telemetry: { Prometheus: { host: '127.0.0.1', port: 0 } },
  health_checks: { listener_enabled: true, bind_address: '127.0.0.1', bind_port: '0' },
};

const get = async (port: number | undefined, path: string) => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return { status: response.status, text: await response.text() };
};

describe('an agent’s ports', () => {
  it('tell liveness and readiness, and count what happens under SPIRE’s names', async () => {
    await using home = await Home.open({ blocks: BLOCKS });
    const id = await home.addEntry({ path: '/web' });
    await home.ready();
    await home.workload.fetchJWTSVID({ audience: ['x'] }, { metadata: HEADER });
    await home.admin.entry.batchUpdateEntry({ entries: [{ id, hint: 'h' }], inputMask: { hint: true } });
    const { health, metrics } = home.agent.ports;
    await until(async () => (await get(health?.port, '/ready')).status === 200);
    expect(JSON.parse((await get(health?.port, '/ready')).text)).toEqual({ agent: {} });
    expect(JSON.parse((await get(health?.port, '/live')).text)).toEqual({ agent: {} });

    const outdated = /^spire_agent_cache_manager_outdated_svids_sum/m;
    await until(async () => outdated.test((await get(metrics?.port, '/metrics')).text));
    const { text } = await get(metrics?.port, '/metrics');
    for (const name of [
      'spire_agent_started',
      'spire_agent_uptime_in_ms',
      'spire_agent_rpc_workload_api_fetch_jwtsvid',
      'spire_agent_workload_api_connection',
      'spire_agent_workload_api_connections',
      'spire_agent_workload_api_workload_attestation',
      'spire_agent_workload_api_workload_attestation_elapsed_time_count',
      'spire_agent_workload_api_workload_attestor',
      'spire_agent_workload_api_discovered_selectors_sum',
      'spire_agent_manager_sync_fetch_entries_updates',
      'spire_agent_manager_sync_fetch_svids_updates',
      'spire_agent_node_attestor_new_svid',
      'spire_agent_agent_key_manager_generate_key',
      'spire_agent_lru_cache_record_map_size',
      'spire_agent_lru_cache_svid_map_size',
      'spire_agent_lru_cache_entry_add',
      'spire_agent_jwt_svid_cache_size',
      'spire_agent_sync_entries_total',
    ]) {
      expect(text, name).toMatch(new RegExp(`^${name}[{ ]`, 'm'));
    }
    expect(text).toMatch(/^spire_agent_jwt_svid_cache_size(\{.*\})? 1$/m);
    expect(text).toMatch(/^spire_agent_workload_api_workload_attestor\{.*attestor="unix".*status="OK"/m);
  });

  it('are open before the server answers, and say that the agent is not ready', async () => {
    await using home = await Home.open({ blocks: BLOCKS });
    const token = await home.joinToken();
    await home.agent.stop();
    await home.stopServer();
    await home.forgetAgent();
    const started = home.startAgent(token);
    await until(() => home.agent.ports.health !== undefined);
    const { health, metrics } = home.agent.ports;
    await until(async () => (await get(health?.port, '/live')).status === 200);
    const ready = await get(health?.port, '/ready');
    expect([ready.status, JSON.parse(ready.text)]).toEqual([
      500,
      { agent: { make_new_x509_err: 'workload api is unavailable' } },
    ]);
    expect((await get(metrics?.port, '/')).text).toMatch(/^spire_agent_started\{.* 1$/m);
    await home.agent.stop();
    await started;
  });
});

/** Makes so many calls one after the other and prints their statuses. */
const CALLER = `
const session = require('node:http2').connect('http://localhost', {
  createConnection: () => require('node:net').connect(process.argv[1]),
});
const call = (method) => new Promise((resolve) => {
  const request = session.request({
    ':method': 'POST', ':path': method, 'content-type': 'application/grpc', te: 'trailers', 'workload.spiffe.io': 'true',
  });
  const message = Buffer.from([0, 0, 0, 0, 3, 0x0a, 1, 0x78]); // audience "x"
  request.end(method.endsWith('FetchJWTSVID') ? message : Buffer.alloc(5));
  request.on('response', (headers) => headers['grpc-status'] && resolve(headers['grpc-status']));
  request.on('trailers', (trailers) => resolve(trailers['grpc-status']));
  request.on('data', () => method.endsWith('FetchJWTSVID') || (resolve('0'), request.close()));
});
(async () => {
  const codes = [];
  for (let n = 0; n < 20; n++) codes.push(await call('/SpiffeWorkloadAPI/FetchJWTSVID'));
  codes.push(await call('/SpiffeWorkloadAPI/FetchX509SVID'));
  console.log(codes.join());
  process.exit();
})();
`;

it('refuses workloads that call a method more often than they may, but not itself', async () => {
  await using home = await Home.open({ agent: { experimental: { ratelimit: { fetch_jwt_svid: 1 } } } });
  await home.addEntry({ path: '/web' });
  await home.ready();
  for (let call = 0; call < 5; call++) {
    await home.workload.fetchJWTSVID({ audience: ['x'] }, { metadata: HEADER });
  }
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', CALLER, home.socket]);
  const codes = stdout.trim().split(',').map(Number);
  expect(codes[0]).toBe(Code.OK);
  expect(codes.slice(0, 20)).toContain(Code.UNAVAILABLE);
  expect(codes[20]).toBe(Code.OK);
});

// The lines of the audit log, under the names of SPIRE's own, also when a call fails.
import { realpathSync } from 'node:fs';
import { agentV1, entryV1, loggerV1, svidV1, types } from '@steeple/proto/server-api';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { idOf, newRequest, TestServer } from './testing/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start({ audit_log_enabled: true });
});
afterAll(() => server[Symbol.asyncDispose]());

/** The fields of the lines that a call wrote. */
const lines = async (call: () => Promise<unknown>): Promise<Record<string, unknown>[]> => {
  const start = server.logger.records.length;
  await call().catch(() => {});
  return server.logger.records
    .slice(start)
    .filter(({ message }) => message === 'API accessed')
    .map(({ fields }) => ({ ...fields }) as Record<string, unknown>);
};

const HASH = expect.stringMatching(/^[\da-f]{64}$/) as string;

const selectors = [
  { type: 'unix', value: 'uid:1' },
  { type: 'unix', value: 'gid:2' },
];

it('name caller and method, and one thing each', async () => {
  const entries = [
    { id: 'a', spiffeId: idOf('/a'), parentId: idOf('/p'), selectors, dnsNames: ['x.test', 'y.test'], hint: 'h' },
    { id: 'b', spiffeId: idOf('/b'), parentId: idOf('/p') },
  ];
  const [good, bad, ...more] = await lines(() => server.admin(entryV1.Entry).batchCreateEntry({ entries }));
  expect(more).toEqual([]);
  expect(good?.['request_id']).toMatch(/^[\da-f-]{36}$/);
  expect(bad?.['request_id']).toBe(good?.['request_id']);
  expect(good).toMatchObject({
    type: 'audit',
    subsystem_name: 'api',
    service: 'entry.v1.Entry',
    method: 'BatchCreateEntry',
    authorized_as: 'local',
    authorized_via: 'transport',
    caller_path: realpathSync(process.execPath),
    status: 'success',
    entry_id: 'a',
    spiffe_id: 'spiffe://example.org/a',
    parent_id: 'spiffe://example.org/p',
    selectors: 'unix:uid:1,unix:gid:2',
    dns_name: 'x.test,y.test',
    hint: 'h',
    admin: false,
    x509_svid_ttl: 0,
    expires_at: 0,
  });
  expect(bad).toMatchObject({
    entry_id: 'b',
    status: 'error',
    status_code: 'InvalidArgument',
    status_message: 'failed to convert entry: selector list is empty',
  });
});

it('hold of an update only what it names', async () => {
  const update = { entries: [{ id: 'a', hint: 'other' }], inputMask: { hint: true } };
  const [line] = await lines(() => server.admin(entryV1.Entry).batchUpdateEntry(update));
  expect(line).toMatchObject({ entry_id: 'a', hint: 'other', status: 'success' });
  for (const name of ['spiffe_id', 'selectors', 'admin', 'expires_at']) expect(line).not.toHaveProperty(name);
});

it.each<[string, () => Promise<unknown>, object]>([
  [
    'a filter of entries',
    () => server.admin(entryV1.Entry).listEntries({ filter: { bySelectors: { selectors, match: 3 }, byHint: 'h' } }),
    { by_selector_match: 'MATCH_ANY', by_selectors: 'unix:uid:1,unix:gid:2', hint: 'h' },
  ],
  [
    'a filter that is refused',
    () => server.admin(entryV1.Entry).countEntries({ filter: { byFederatesWith: { trustDomains: [], match: 0 } } }),
    { federates_with: '', federates_with_match: 'MATCH_EXACT', status: 'error' },
  ],
  [
    'a filter of agents',
    () => server.admin(agentV1.Agent).listAgents({ filter: { byBanned: false, byAttestationType: 'join_token' } }),
    { by_banned: false, node_attestor_type: 'join_token' },
  ],
  ['an entry that is not there', () => server.admin(entryV1.Entry).getEntry({ id: 'none' }), { entry_id: 'none' }],
  [
    'an agent that is not there',
    () => server.admin(agentV1.Agent).banAgent({ id: idOf('/spire/agent/x/y') }),
    { spiffe_id: 'spiffe://example.org/spire/agent/x/y', status_code: 'NotFound' },
  ],
  [
    'a token that is not made',
    () => server.admin(agentV1.Agent).createJoinToken({ ttl: 7, agentId: idOf('/spire') }),
    { ttl: 7, status: 'error' },
  ],
  [
    'a minted certificate',
    async () =>
      server.admin(svidV1.SVID).mintX509SVID({ csr: (await newRequest('spiffe://example.org/m')).csr, ttl: 60 }),
    { ttl: 60, spiffe_id: 'spiffe://example.org/m', serial_num: expect.stringMatching(/^\d+$/), csr: HASH },
  ],
  [
    'a certificate that is not minted',
    () => server.admin(svidV1.SVID).mintX509SVID({ csr: new Uint8Array(3), ttl: 60 }),
    { ttl: 60, csr: HASH, status: 'error', status_code: 'InvalidArgument' },
  ],
  [
    'a level of the log',
    () => server.admin(loggerV1.Logger).setLogLevel({ newLevel: types.LogLevel.TRACE }),
    { service: 'Logger', method: 'SetLogLevel', new_log_level: 'trace', status: 'success' },
  ],
  [
    'a token for nobody',
    () => server.admin(svidV1.SVID).mintJWTSVID({ id: idOf('/m'), audience: [], ttl: 9 }),
    { ttl: 9, spiffe_id: 'spiffe://example.org/m', status_message: 'at least one audience is required' },
  ],
])('%s', async (_what, call, fields) => {
  const told = await lines(call);
  expect(told).toHaveLength(1);
  expect(told[0]).toMatchObject(fields);
});

it('tell also of an attestation that failed', async () => {
  const told = await lines(() => server.attest('no-such-token'));
  expect(told.filter(({ method }) => method === 'AttestAgent')).toHaveLength(1);
  expect(told.at(-1)).toMatchObject({
    node_attestor_type: 'join_token',
    csr: HASH,
    status: 'error',
    caller_addr: '127.0.0.1',
  });
});

it('never hold a token or a request', async () => {
  const token = 'a-very-secret-token';
  const { csr } = await newRequest('spiffe://example.org/m');
  await server.admin(agentV1.Agent).createJoinToken({ ttl: 60, token });
  await server.admin(svidV1.SVID).mintX509SVID({ csr });
  expect(server.logger.text).not.toContain(token);
  expect(server.logger.text).not.toContain(Buffer.from(csr).toString('base64').slice(0, 40));
});

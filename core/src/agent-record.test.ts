import { SpiffeId, TrustDomain } from '@steeple/spiffe';
import { describe, expect, it } from 'vitest';
import { agentId, isAgentPath, isReservedPath, serverId } from './agent-id.ts';
import { type AgentRecord, isBanned, judgeAgent } from './agent-record.ts';

const record: AgentRecord = {
  id: SpiffeId.parse('spiffe://example.org/spire/agent/x509pop/1'),
  attestationType: 'x509pop',
  serial: '100',
  expiresAt: 2000,
  newSerial: '200',
  newExpiresAt: 3000,
  canReattest: true,
  agentVersion: '1',
  selectors: [],
};
const banned = { ...record, serial: '', newSerial: '' };

describe('judgeAgent', () => {
  it.each([
    ['the current serial', record, '100', 'current'],
    ['the staged serial, used first', record, '200', 'activate'],
    ['any other serial', record, '300', { refused: 'not-active' }],
    ['a serial that only looks equal', record, '0100', { refused: 'not-active' }],
    ['an empty serial', record, '', { refused: 'not-active' }],
    ['an empty serial, nothing staged', { ...record, newSerial: '' }, '', { refused: 'not-active' }],
    ['no record', undefined, '100', { refused: 'not-attested' }],
    ['a ban', banned, '100', { refused: 'banned' }],
    ['a ban and an empty serial', banned, '', { refused: 'banned' }],
    ['a ban with something staged', { ...record, serial: '' }, '200', { refused: 'banned' }],
  ] as const)('%s', (_, given, serial, verdict) => {
    expect(judgeAgent(given, serial, 2000, 1000)).toEqual(verdict);
  });

  it('looks at the certificate first', () => {
    expect(judgeAgent(banned, '100', 1000, 1000.1)).toEqual({ refused: 'expired' });
    expect(judgeAgent(undefined, '100', 1000, 2000)).toEqual({ refused: 'expired' });
    expect(judgeAgent(record, '100', 1000, 1000)).toBe('current');
    expect(judgeAgent(record, '100', Number.NaN, 1000)).toEqual({ refused: 'expired' });
    expect(judgeAgent(record, '100', 1000, Number.NaN)).toEqual({ refused: 'expired' });
  });

  it('knows the banned', () => {
    expect([isBanned(record), isBanned(banned)]).toEqual([false, true]);
  });
});

describe('reserved paths', () => {
  it.each([
    ['/spire/agent/x', true, true],
    ['/spire/agent/', false, true],
    ['/spire/agent', false, true],
    ['/spire/agents/x', false, true],
    ['/spire/server', false, true],
    ['/spire', false, true],
    ['/spire/', false, true],
    ['/spirex', false, false],
    ['/Spire/agent/x', false, false],
    ['/a/spire/agent/x', false, false],
    ['', false, false],
  ])('%j: agent %s, reserved %s', (path, agent, reserved) => {
    expect([isAgentPath(path), isReservedPath(path)]).toEqual([agent, reserved]);
  });

  it('are built for agents and the server', () => {
    const td = TrustDomain.parse('example.org');
    expect(agentId(td, 'join_token', 'abc').toString()).toBe('spiffe://example.org/spire/agent/join_token/abc');
    expect(serverId(td).toString()).toBe('spiffe://example.org/spire/server');
    expect(() => agentId(td, 'join_token', 'a/b')).toThrow();
    expect(() => agentId(td, 'join_token', '..')).toThrow();
  });
});

import { randomBytes } from 'node:crypto';
import { type KeyManager, loadPlugin } from '@steeple/plugins';
import { Code, GrpcError } from '@steeple/proto/grpc';
import { readCsr } from '@steeple/spiffe';
import { FakeClock, MemoryLogger, type TempDir, TestTrustDomain, tempDir } from '@steeple/test-kit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { turn } from '../testing/fixtures.ts';
import { agentRefusal } from '../testing/scripted-server.ts';
import { AgentIdentity } from './agent-identity.ts';
import { CurrentSvid } from './current-svid.ts';
import { Storage } from './storage.ts';

const domain = await TestTrustDomain.create('a.test', { now: () => new FakeClock().now() });
let clock: FakeClock;
let dir: TempDir;
let keyManager: KeyManager;
let current: CurrentSvid;
let calls: string[];
let fail: GrpcError | undefined;
let reattestable: boolean;
let serving: boolean;
let abort: AbortController;

beforeEach(async () => {
  [clock, dir, abort] = [new FakeClock(), await tempDir(), new AbortController()];
  [calls, fail, reattestable, serving] = [[], undefined, false, false];
  const memory = await loadPlugin('key-manager', 'memory');
  keyManager = await memory.create({}, { clock, logger: new MemoryLogger(), trustDomain: domain.trustDomain });
});
afterEach(async () => {
  abort.abort();
  await dir[Symbol.asyncDispose]();
});

const issue = async (what: string, csr: Uint8Array) => {
  calls.push(what);
  await turn();
  if (fail !== undefined) throw fail;
  const now = clock.now();
  const id = domain.id('/spire/agent/x');
  const { spki } = readCsr(csr);
  return [
    await domain.issuer.issueLeaf({ id, spki, notBefore: now - 10, notAfter: now + 100, serial: randomBytes(16) }),
  ];
};

function make(): AgentIdentity {
  current = new CurrentSvid();
  return new AgentIdentity({
    current,
    keyManager,
    storage: new Storage(dir.path),
    clock,
    random: () => 0.5,
    logger: new MemoryLogger(),
    attest: async (csr) => ({ chain: await issue('attest', csr), reattestable, bundle: domain.bundle }),
    renew: (csr) => issue('renew', csr),
    onBundle: () => {},
    stillServing: () => serving,
  });
}

const serial = () => current.x509Svid().leaf.serialHex;
const called = async (count: number) => {
  while (calls.length < count) await turn();
  for (let i = 0; i < 20; i++) await turn();
};
const stored = () => new Storage(dir.path).load();

it('takes up after a restart where it was, if the key is still there', async () => {
  await make().attest(abort.signal);
  const before = serial();
  expect(await make().restore(await stored())).toBe(true);
  expect(serial()).toBe(before);
  await clock.advance(101);
  expect(await make().restore(await stored())).toBe(false);
});

it('attests anew when the key is gone', async () => {
  await make().attest(abort.signal);
  for (const { id } of await keyManager.list()) await keyManager.remove(id);
  expect(await make().restore(await stored())).toBe(false);
});

it('renews at half of its life; a failed renewal leaves key and SVID that fit (I2)', async () => {
  const identity = make();
  await identity.attest(abort.signal);
  const first = serial();
  void identity.run(abort.signal);
  await clock.settled();
  fail = GrpcError.of(Code.UNAVAILABLE, 'away');
  await clock.advance(51);
  await called(2);
  expect(serial()).toBe(first);
  expect(await make().restore(await stored())).toBe(true);
});

it('alternates between two keys', async () => {
  const identity = make();
  await identity.attest(abort.signal);
  void identity.run(abort.signal);
  for (const count of [2, 3, 4]) {
    await clock.settled();
    await clock.advance(51);
    await called(count);
  }
  expect(calls).toEqual(['attest', 'renew', 'renew', 'renew']);
  expect((await keyManager.list()).map(({ id }) => id)).toEqual(['agent-svid-A', 'agent-svid-B']);
});

it('attests again instead of renewing where the method allows it, once for many who ask (I3)', async () => {
  reattestable = true;
  const identity = make();
  await Promise.all([identity.attest(abort.signal), identity.attest(abort.signal)]);
  expect(calls).toEqual(['attest']);
  void identity.run(abort.signal);
  await clock.settled();
  await clock.advance(51);
  await called(2);
  expect(calls).toEqual(['attest', 'attest']);
});

it('attests again when the server insists that it can, though it was told otherwise before', async () => {
  const identity = make();
  await identity.attest(abort.signal);
  expect(identity.reattestable).toBe(false);
  reattestable = true;
  await identity.onServerError(agentRefusal('AGENT_MUST_REATTEST'), abort.signal);
  expect([calls, identity.reattestable]).toEqual([['attest', 'attest'], true]);
  reattestable = false;
  const other = make();
  await other.attest(abort.signal);
  const lost = other.onServerError(agentRefusal('AGENT_NOT_ATTESTED'), abort.signal);
  await expect(lost).rejects.toMatchObject({ reason: 'lost-identity' });
});

it('goes on after its own SVID has expired while workloads still live on theirs, and stops when they do no more', async () => {
  const identity = make();
  await identity.attest(abort.signal);
  serving = true;
  fail = GrpcError.of(Code.UNAVAILABLE, 'away');
  const ended = identity.run(abort.signal).then(
    () => 'ended',
    (error: unknown) => error,
  );
  await clock.settled();
  for (let i = 0; i < 30; i++) {
    await clock.advance(10);
    await called(0);
  }
  serving = false;
  const outcomes: unknown[] = [];
  void ended.then((outcome) => outcomes.push(outcome));
  while (outcomes.length === 0) {
    await clock.advance(10);
    await called(0);
  }
  expect(outcomes[0]).toMatchObject({ name: 'AgentStopped', reason: 'expired' });
});

it('does not hurry any more once its SVID has expired', async () => {
  reattestable = true;
  const identity = make();
  await identity.attest(abort.signal);
  void identity.run(abort.signal);
  await clock.settled();
  fail = GrpcError.of(Code.UNAVAILABLE, 'away');
  await clock.advance(101);
  await called(2);
  const before = calls.length;
  for (let second = 0; second < 60; second++) {
    await clock.advance(1);
    for (let i = 0; i < 20; i++) await turn();
  }
  expect(calls.length - before).toBeGreaterThan(2);
  expect(calls.length - before).toBeLessThan(12);
});

it('replaces an SVID once, however often it is asked to meanwhile', async () => {
  const identity = make();
  await identity.attest(abort.signal);
  const first = serial();
  void identity.run(abort.signal);
  await clock.settled();
  identity.renewNow();
  while (calls.length < 2) await turn();
  // The answer is on its way.
  expect(serial()).toBe(first);
  identity.renewNow();
  while (serial() === first) await turn();
  await clock.settled();
  expect(calls).toEqual(['attest', 'renew']);
});

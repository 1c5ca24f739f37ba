import { Code } from '@steeple/proto/grpc';
import { agentV1, bundleV1, localauthorityV1 } from '@steeple/proto/server-api';
import { rolloutV1, syncV1 } from '@steeple/proto/steeple-api';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestServer } from './testing/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server[Symbol.asyncDispose]());

const holders = async () => (await server.admin(rolloutV1.Rollout).listHolders({})).holders;

it('lists every agent with what it has had and says it lives by', async () => {
  const agent = await server.attest();
  expect(await holders()).toMatchObject([{ id: { path: agent.id.path }, sentSequenceNumber: 0n, live: false }]);
  const { sequenceNumber } = await (await server.remote(bundleV1.Bundle, agent)).getBundle({});
  const { authorityKeyId } = agent.leaf;
  expect(await holders()).toMatchObject([
    { sentSequenceNumber: sequenceNumber, reportedSequenceNumber: 0n, authorityId: authorityKeyId, live: true },
  ]);
  const caller = await server.remote(agentV1.Agent, agent);
  await caller.postStatus({ agentVersion: '1', currentBundleSerial: sequenceNumber });
  expect(await holders()).toMatchObject([{ reportedSequenceNumber: sequenceNumber }]);
  await caller.postStatus({ agentVersion: '2' });
  expect(await holders()).toMatchObject([{ reportedSequenceNumber: sequenceNumber }]);
});

it('counts an announcement as sent, and no agent that is banned', async () => {
  const agent = await server.attest();
  const abort = new AbortController();
  const watch = (await server.remote(syncV1.Sync, agent)).watch({}, { signal: abort.signal })[Symbol.asyncIterator]();
  await watch.next();
  await server.admin(localauthorityV1.LocalAuthority).prepareX509Authority({});
  expect((await watch.next()).value?.event.case).toBe('changes');
  // It was sent before the next message was asked for.
  const next = watch.next();
  next.catch(() => undefined);
  const sent = async () => (await holders()).find(({ id }) => id?.path === agent.id.path)?.sentSequenceNumber;
  while ((await sent()) === 0n) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(await sent()).toBe((await server.admin(rolloutV1.Rollout).listHolders({})).sequenceNumber);
  abort.abort();
  await server.admin(agentV1.Agent).banAgent({ id: { trustDomain: 'example.org', path: agent.id.path } });
  expect(await sent()).toBeUndefined();
});

it('is for administrators only', async () => {
  const caller = await server.remote(rolloutV1.Rollout, await server.attest());
  await expect(caller.listHolders({})).rejects.toMatchObject({ code: Code.PERMISSION_DENIED });
});

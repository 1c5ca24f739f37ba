// What a real server lets be registered, and an agent that comes back while its server is away.
import { Code } from '@steeple/proto/grpc';
import { expect, it } from 'vitest';
import { createEntry, HEADER, stackWorld, statusOf } from './stack-world.ts';

const world = stackWorld();
/** Nobody's selector, so that no agent need care. */
const selectors = ['unix:uid:4294967290'];
const codeOf = async (fields: { path: string; trustDomain?: string; hint?: string }) =>
  (await createEntry(world, { selectors, ...fields })).code;

it('[WAPI-65] takes hints of up to 1024 bytes', async () => {
  expect(await codeOf({ path: '/h', hint: 'h'.repeat(1024) })).toBe(0);
  expect(await codeOf({ path: '/i', hint: 'h'.repeat(1025) })).toBe(Code.INVALID_ARGUMENT);
  expect(await codeOf({ path: '/j', hint: 'é'.repeat(600) })).toBe(Code.INVALID_ARGUMENT);
});

it.each([
  ['ID-08', 'a~b', '/p'],
  ['ID-09', '%61.test', '/p'],
  ['ID-11', 'a.test', '/%61'],
  ['ID-12', 'a.test', '/p//q'],
  ['ID-13', 'a.test', '/p/../q'],
  ['ID-14', 'a.test', '/p/'],
  ['ID-15', 'a.test', '/p q'],
])('[%s] registers no ID that breaks it', async (_row, trustDomain, path) => {
  expect(await codeOf({ trustDomain, path })).toBe(Code.INVALID_ARGUMENT);
});

it('[WEP-18] answers Unavailable before the first answer of the server', async () => {
  const { stack } = world;
  await stack.server.stop();
  await stack.agent.stop();
  stack.agent = stack.spawn('agent', ['agent', 'run', '--config', `${stack.dir}/agent.json`]);
  await stack.agent.line(/Serving the Workload API/);
  const codes = [
    world.workload.fetchX509SVID({}, HEADER),
    world.workload.fetchJWTSVID({ audience: ['y'] }, HEADER),
    world.workload.fetchX509Bundles({}, HEADER),
  ].map(statusOf);
  expect(await Promise.all(codes)).toEqual(codes.map(() => Code.UNAVAILABLE));
});

import type { ServerResponse } from 'node:http';
import { FakeClock } from '@steeple/test-kit';
import { describe, expect, it } from 'vitest';
import { KubernetesClient } from './client.ts';
import { type Asked, type FakeApi, fakeApi, json, object, refuse } from './fake-api.fixture.ts';
import { type Followed, follow } from './follow.ts';
import { CONFIG_MAPS } from './resource.ts';

type Answer = (response: ServerResponse, asked: Asked) => void;

const listed =
  (version: string, ...names: string[]): Answer =>
  (response) =>
    json(response, { metadata: { resourceVersion: version }, items: names.map((name) => object(name)) });
const events =
  (...list: object[]): Answer =>
  (response) =>
    response.end(list.map((one) => `${JSON.stringify(one)}\n`).join(''));
const put = (name: string, version: string) => ({ type: 'MODIFIED', object: object(name, version) });
const forgotten = { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' } };

/** Plays the answers in order, and stops the following when there are no more. */
async function play(answers: Answer[], more: { random01?: () => number } = {}) {
  const stop = new AbortController();
  const clock = new FakeClock();
  const troubles: [unknown, number][] = [];
  const seen: string[] = [];
  const queue = [...answers];
  await using api: FakeApi = await fakeApi((asked, response) => {
    const next = queue.shift();
    if (next) next(response, asked);
    else stop.abort();
  });
  using client = new KubernetesClient({
    clock,
    access: async () => ({
      server: api.url,
      ca: undefined,
      identity: undefined,
      serverName: undefined,
      token: undefined,
      namespace: 'ns',
    }),
  });
  const options = {
    namespace: 'ns',
    clock,
    random01: () => 0.5,
    onTrouble: (error: unknown, attempt: number) => troubles.push([(error as Error).message, attempt]),
    ...more,
  };
  const following = (async () => {
    for await (const one of follow(client, CONFIG_MAPS, options, stop.signal)) seen.push(show(one));
  })();
  await clock.during(following);
  const versions = api.asked.map(({ query }) => query['resourceVersion'] ?? 'list');
  return { seen, versions, troubles, asked: api.asked };
}

const show = (one: Followed) =>
  one.kind === 'listed'
    ? `listed ${one.objects.map(({ metadata }) => metadata.name).join()}`
    : `${one.kind} ${one.object.metadata.name}`;

describe('follow', () => {
  it('lists once, and goes on from where the last watch ended', async () => {
    const { seen, versions, troubles, asked } = await play([
      listed('10', 'a', 'b'),
      events(put('a', '11'), { type: 'DELETED', object: object('b', '12') }, { type: 'NEW', object: {} }),
      events({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '40' } } }),
    ]);
    expect(seen).toEqual(['listed a,b', 'put a', 'removed b']);
    expect(versions).toEqual(['list', '10', '12', '40']);
    expect(troubles).toEqual([]);
    expect(asked[1]?.query).toMatchObject({ watch: '1', allowWatchBookmarks: 'true', timeoutSeconds: '300' });
  });

  it.each<[string, Answer]>([
    ['in the watch', events(forgotten)],
    ['at once', (response) => refuse(response, 410, 'Expired')],
  ])('lists again when its version is forgotten, told %s', async (_name, gone) => {
    const { seen, versions } = await play([listed('1', 'a'), gone, listed('90', 'b')]);
    expect(seen).toEqual(['listed a', 'listed b']);
    expect(versions).toEqual(['list', '1', 'list', '90']);
  });

  it('keeps what it knows through errors, and waits longer each time', async () => {
    const broken: Answer = (response) => refuse(response, 500, 'InternalError');
    const { seen, versions, troubles } = await play([
      broken,
      broken,
      listed('1', 'a'),
      broken,
      events(put('a', '2')),
      (response) => response.end('{"type":"MODIFIED","object":{"metadata":{}}}\n'),
    ]);
    expect(seen).toEqual(['listed a', 'put a']);
    expect(versions).toEqual(['list', 'list', 'list', '1', '1', '2', '2']);
    expect(troubles.map(([, attempt]) => attempt)).toEqual([1, 2, 3, 1]);
    expect(troubles.at(-1)?.[0]).toContain('metadata.name');
  });

  it('takes a half event for nothing, and asks again', async () => {
    const { seen, versions } = await play([
      listed('1', 'a'),
      (response) => {
        response.write(`${JSON.stringify(put('a', '2'))}\n{"type":"MODI`);
        setTimeout(() => response.destroy(), 20);
      },
    ]);
    expect(seen).toEqual(['listed a', 'put a']);
    expect(versions).toEqual(['list', '1', '2']);
  });

  it('does not ask in a circle if every watch ends at once', async () => {
    const { troubles, versions } = await play([listed('1'), events(), events(), events()]);
    expect(versions).toEqual(['list', '1', '1', '1', '1']);
    expect(troubles).toEqual([]);
  });
});

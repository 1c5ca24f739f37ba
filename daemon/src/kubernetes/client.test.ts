import { setTimeout as wait } from 'node:timers/promises';
import { FakeClock } from '@steeple/test-kit';
import { describe, expect, it } from 'vitest';
import { KubernetesClient } from './client.ts';
import type { KubernetesConnection } from './connection.ts';
import { fakeApi, json, object, refuse } from './fake-api.fixture.ts';
import { CONFIG_MAPS, NODES } from './resource.ts';

const at = (server: string): KubernetesConnection => ({
  server,
  ca: undefined,
  identity: undefined,
  serverName: undefined,
  token: 'a-secret-token',
  namespace: 'ns',
});
const clientOf = (url: string, more: { clock?: FakeClock; maxAnswerBytes?: number } = {}) =>
  new KubernetesClient({ access: async () => at(url), clock: new FakeClock(), ...more });
const ref = { namespace: 'ns', name: 'one' };

describe('KubernetesClient', () => {
  it('speaks about objects as the API does', async () => {
    await using api = await fakeApi((_asked, response) => json(response, object('one')));
    using client = clientOf(api.url);
    await client.get(CONFIG_MAPS, ref);
    await client.create(CONFIG_MAPS, { a: 1 }, { namespace: 'ns' });
    await client.update(CONFIG_MAPS, { ...ref, subresource: 'status' }, { b: 2 });
    await client.patch(CONFIG_MAPS, ref, { c: 3 }, { kind: 'merge' });
    await client.patch(CONFIG_MAPS, ref, { d: 4 }, { kind: 'apply', fieldManager: 'steeple', force: true });
    await client.get({ group: 'g.example', version: 'v1', plural: 'things', namespaced: false }, { name: 'a/../b' });
    await client.delete(NODES, { name: 'n1' });
    const said = api.asked.map(({ method, path, query, contentType, body }) => [
      method,
      path,
      query,
      contentType,
      body,
    ]);
    expect(said).toEqual([
      ['GET', '/api/v1/namespaces/ns/configmaps/one', {}, undefined, ''],
      ['POST', '/api/v1/namespaces/ns/configmaps', {}, 'application/json', '{"a":1}'],
      ['PUT', '/api/v1/namespaces/ns/configmaps/one/status', {}, 'application/json', '{"b":2}'],
      ['PATCH', '/api/v1/namespaces/ns/configmaps/one', {}, 'application/merge-patch+json', '{"c":3}'],
      [
        'PATCH',
        '/api/v1/namespaces/ns/configmaps/one',
        { fieldManager: 'steeple', force: 'true' },
        'application/apply-patch+yaml',
        '{"d":4}',
      ],
      ['GET', '/apis/g.example/v1/things/a%2F..%2Fb', {}, undefined, ''],
      ['DELETE', '/api/v1/nodes/n1', {}, undefined, ''],
    ]);
    expect(api.asked.every(({ authorization }) => authorization === 'Bearer a-secret-token')).toBe(true);
  });

  it.each(['', '.', '..'])('does not let the name %j change the path', async (name) => {
    using client = clientOf('http://127.0.0.1:1');
    await expect(client.get(CONFIG_MAPS, { namespace: 'ns', name })).rejects.toThrow('may not be empty or dots');
  });

  it('lists page by page', async () => {
    await using api = await fakeApi(({ query }, response) => {
      const more = query['continue'] === undefined ? 'next' : '';
      json(response, { metadata: { resourceVersion: '7', continue: more }, items: [object(more || 'last')] });
    });
    using client = clientOf(api.url);
    const { items, resourceVersion } = await client.list(CONFIG_MAPS, { labelSelector: 'a=b' });
    expect(items.map(({ metadata }) => metadata.name)).toEqual(['next', 'last']);
    expect(resourceVersion).toBe('7');
    expect(api.asked.map(({ query }) => query)).toEqual([
      { limit: '500', labelSelector: 'a=b' },
      { limit: '500', continue: 'next', labelSelector: 'a=b' },
    ]);
  });

  it('hands on why the API refuses', async () => {
    await using api = await fakeApi((_asked, response) => refuse(response, 404, 'NotFound', 'no\nsuch "one"'));
    using client = clientOf(api.url);
    await expect(client.get(CONFIG_MAPS, ref)).rejects.toMatchObject({
      name: 'KubernetesError',
      code: 'status',
      status: 404,
      reason: 'NotFound',
      message: 'the Kubernetes API answered 404: no such "one"',
    });
  });

  it.each([
    ['no JSON', 'Hello', 'not JSON'],
    ['a list', '[]', 'not an object'],
    ['no metadata', '{}', 'metadata'],
    ['no name', '{"metadata":{}}', 'metadata.name'],
    ['a strange label', '{"metadata":{"name":"n","labels":{"a":1}}}', 'metadata.labels'],
    ['too much', `{"metadata":{"name":"${'n'.repeat(2000)}"}}`, 'more than 1000 bytes'],
  ])('takes %s for no answer', async (_name, body, message) => {
    await using api = await fakeApi((_asked, response) => response.end(body));
    using client = clientOf(api.url, { maxAnswerBytes: 1000 });
    await expect(client.get(CONFIG_MAPS, ref)).rejects.toMatchObject({
      code: 'answer',
      message: expect.stringContaining(message),
    });
  });

  it('does not wait for ever, whether for the first byte or the last', async () => {
    for (const begin of [false, true]) {
      const clock = new FakeClock();
      const reached = Promise.withResolvers<void>();
      await using api = await fakeApi((_asked, response) => {
        if (begin) response.write('{');
        reached.resolve();
      });
      using client = clientOf(api.url, { clock });
      const getting = client.get(CONFIG_MAPS, ref);
      const refused = expect(getting).rejects.toMatchObject({
        code: 'unreachable',
        message: expect.stringContaining('30 s'),
      });
      await reached.promise;
      await wait(20);
      await clock.advance(30);
      await refused;
      expect(clock.sleeping).toBe(0);
    }
  });

  it('ends when it is told to', async () => {
    const stop = new AbortController();
    await using api = await fakeApi(() => stop.abort(new Error('shutting down')));
    using client = clientOf(api.url);
    await expect(client.get(CONFIG_MAPS, ref, stop.signal)).rejects.toThrow('shutting down');
  });

  it('says that nobody is there, and never what the token is', async () => {
    using client = clientOf('http://127.0.0.1:1');
    await expect(client.get(CONFIG_MAPS, ref)).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('http://127.0.0.1:1'),
    });
    await expect(client.get(CONFIG_MAPS, ref)).rejects.not.toThrow('a-secret-token');
  });

  it.each(['http://192.0.2.1', 'http://localhost.example', 'ftp://127.0.0.1', 'nonsense'])(
    'sends no token to %s',
    async (server) => {
      using client = clientOf(server);
      await expect(client.get(CONFIG_MAPS, ref)).rejects.toMatchObject({ code: 'access' });
    },
  );
});

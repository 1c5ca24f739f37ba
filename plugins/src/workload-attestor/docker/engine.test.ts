import { chmodSync, chownSync } from 'node:fs';
import { inspect as inspectValue } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Engine, EngineBusyError } from './engine.ts';
import { Engines } from './engines.ts';
import { containerJson, FakeEngine, pong, says } from './fake-engine-for-tests.ts';

const ID = '0123456789abcdef'.repeat(4);
const { signal } = new AbortController();
const SECRET = 'hunter2';

let fake: FakeEngine;
beforeEach(async () => {
  fake = new FakeEngine();
  await fake.listen();
});
afterEach(() => fake[Symbol.asyncDispose]());

const inspect = (version?: string) => new Engine(fake.socketPath, version).inspect(ID, signal);

describe('an engine', () => {
  it('tells of a container', async () => {
    fake.answer(says(200, containerJson(ID, 7, { Labels: { a: 'b', c: '' }, Env: ['X=1', 'Y'] })));
    expect(await inspect()).toEqual({
      id: ID,
      running: true,
      pid: 7,
      imageDigest: `sha256:${'ab'.repeat(32)}`,
      imageName: 'shop/web:1',
      labels: { a: 'b', c: '' },
      environment: ['X=1', 'Y'],
    });
  });

  it.each([
    ['1.41', '1.41'],
    ['1.24', '1.24'],
    ['1.99', '1.51'],
    ['2.0', '1.51'],
    ['1.9', '1.9'],
    ['x', '1.24'],
    ['', '1.24'],
  ])('that offers version %j is asked in %s', async (offered, spoken) => {
    fake.answer(says(200, containerJson(ID, 7)), pong(offered));
    const engine = new Engine(fake.socketPath);
    await engine.inspect(ID, signal);
    await engine.inspect(ID, signal);
    const target = `/v${spoken}/containers/${ID}/json`;
    expect(fake.asked).toEqual(['/_ping', target, target]);
  });

  it('is asked in the version that is set', async () => {
    fake.answer(says(200, containerJson(ID, 7)));
    await inspect('1.30');
    expect(fake.asked).toEqual([`/v1.30/containers/${ID}/json`]);
  });

  it('is asked for its version again when it does not like it any more', async () => {
    fake.answer(says(200, containerJson(ID, 7)));
    const engine = new Engine(fake.socketPath);
    await engine.inspect(ID, signal);
    fake.answer(says(400, { message: 'client version 1.41 is too old' }), pong('1.44'));
    await expect(engine.inspect(ID, signal)).rejects.toThrow(/answered 400: client version 1.41 is too old/);
    fake.answer(says(200, containerJson(ID, 7)), pong('1.44'));
    await engine.inspect(ID, signal);
    expect(fake.asked.slice(-2)).toEqual(['/_ping', `/v1.44/containers/${ID}/json`]);
  });

  it('that lacks the container is not asked again', async () => {
    fake.answer(says(404, { message: 'No such container' }));
    await expect(inspect()).rejects.toMatchObject({ code: 'failed-precondition' });
    await expect(inspect()).rejects.not.toBeInstanceOf(EngineBusyError);
  });

  it.each([
    ['no JSON', `{"Env":["X=${SECRET}"]`, /not JSON/],
    ['no object', '[]', /usable object/],
    ['another container', containerJson('f'.repeat(64), 7), /another container/],
    ['the beginning of its id', containerJson(ID.slice(0, 12), 7), /another container/],
    ['a pid that is none', containerJson(ID, -1), /State.Pid/],
    ['a pid in words', { ...containerJson(ID, 1), State: { Running: true, Pid: SECRET } }, /State.Pid/],
    ['no state', { ...containerJson(ID, 1), State: undefined }, /State/],
    ['labels that are none', containerJson(ID, 7, { Labels: [SECRET] }), /Config.Labels/],
    ['an environment that is none', containerJson(ID, 7, { Env: { X: SECRET } }), /Config.Env/],
    ['no configuration', { ...containerJson(ID, 7), Config: null }, /Config/],
  ])('that answers %s is not believed, and not quoted', async (_, body, reason) => {
    fake.answer(says(200, body));
    const error = await inspect().catch((each: Error) => each);
    expect(error).toMatchObject({ code: 'internal', message: expect.stringMatching(reason) });
    expect(inspectValue(error)).not.toContain(SECRET);
  });

  it('tells no digest that is none', async () => {
    for (const Image of [undefined, '', 'shop/web', `sha512:${'ab'.repeat(32)}`, 'sha256:ab']) {
      fake.answer(says(200, { ...containerJson(ID, 7), Image }));
      expect((await inspect()).imageDigest).toBeUndefined();
    }
    fake.answer(says(200, { ...containerJson(ID, 7), Image: 'cd'.repeat(32) }));
    expect((await inspect()).imageDigest).toBe(`sha256:${'cd'.repeat(32)}`);
  });

  it('that answers without end is cut off', async () => {
    fake.answer((_, response) => {
      const more = () => response.write('x'.repeat(1 << 16), () => !response.destroyed && setImmediate(more));
      more();
    });
    await expect(inspect()).rejects.toThrow(/more than 4194304 bytes/);
    await expect.poll(() => fake.connections).toBe(0);
  });

  it.each([
    ['does not answer', () => {}],
    ['stops in the middle', (_: unknown, response: { write(text: string): void }) => response.write('{"Id":')],
  ])('that %s is left when the time is over', async (_, answer) => {
    fake.answer(answer);
    const controller = new AbortController();
    const asked = new Engine(fake.socketPath).inspect(ID, controller.signal);
    asked.catch(() => undefined);
    await expect.poll(() => fake.asked.length).toBe(2);
    controller.abort(new Error('too late'));
    await expect(asked).rejects.toThrow('too late');
    await expect.poll(() => fake.connections).toBe(0);
  });

  it.each([
    ['hangs up', (request: { socket: { destroy(): void } }) => request.socket.destroy()],
    [
      'speaks something else',
      (request: { socket: { end(text: string): void } }) => request.socket.end('SSH-2.0\r\n\r\n'),
    ],
    [
      'ends too early',
      (
        _: unknown,
        response: { writeHead: (s: number, h: object) => { write(t: string): void }; socket: { end(): void } | null },
      ) => {
        response.writeHead(200, { 'content-length': 100 }).write('{');
        response.socket?.end();
      },
    ],
    ['has a fault', says(500, { message: 'broken\n\u001b[31m pipe' })],
    ['has a fault of its own', says(500, SECRET)],
  ])('that %s may be asked again', async (_, answer) => {
    fake.answer(answer as Parameters<FakeEngine['answer']>[0]);
    const error = await inspect().catch((each: Error) => each);
    expect(error).toBeInstanceOf(EngineBusyError);
    expect((error as Error).message).not.toMatch(/\p{Cc}/u);
    expect((error as Error).message).toContain(fake.socketPath);
    expect(inspectValue(error)).not.toContain(SECRET);
  });
});

describe('engines', () => {
  const location = { containerId: ID, podUid: undefined, podman: false, loginUid: undefined };
  const own = process.geteuid?.() ?? 0;
  const engines = (rootlessPodman?: (uid: number) => string) =>
    new Engines({ docker: fake.socketPath, podman: '/nonexistent/podman.sock', rootlessPodman }, undefined);

  it('are one for each socket', async () => {
    const all = engines();
    expect(await all.engineOf(location)).toBe(await all.engineOf(location));
    expect((await all.engineOf(location)).socketPath).toBe(fake.socketPath);
  });

  it('of podman have their own', async () => {
    await expect(engines().engineOf({ ...location, podman: true })).rejects.toThrow(EngineBusyError);
    await expect(engines().engineOf({ ...location, podman: true })).rejects.toThrow('/nonexistent/podman.sock');
  });

  it('of users are asked only where that is set, and for that user only', async () => {
    const rootless = { ...location, podman: true, loginUid: own };
    await expect(engines().engineOf(rootless)).rejects.toMatchObject({
      code: 'failed-precondition',
      message: expect.stringContaining('podman_socket_path_template'),
    });
    const sockets: number[] = [];
    const set = engines((uid) => {
      sockets.push(uid);
      return fake.socketPath;
    });
    expect((await set.engineOf(rootless)).socketPath).toBe(fake.socketPath);
    await expect(set.engineOf({ ...rootless, loginUid: own + 1 })).rejects.toMatchObject({
      code: 'failed-precondition',
    });
    expect(sockets).toEqual([own, own + 1]);
  });

  it('of users get a few questions at a time, so that they cannot keep others from being answered', async () => {
    fake.answer(
      () => {},
      () => {},
    );
    const engine = await engines(() => fake.socketPath).engineOf({ ...location, podman: true, loginUid: own });
    const controller = new AbortController();
    const asked = Array.from({ length: 8 }, () => engine.inspect(ID, controller.signal).catch((error: Error) => error));
    await expect(engine.inspect(ID, signal)).rejects.toThrow(/has not answered 8 questions/);
    controller.abort(new Error('over'));
    expect(await Promise.all(asked)).toEqual(Array.from({ length: 8 }, () => new Error('over')));
    fake.answer(says(200, containerJson(ID, 7)));
    await expect(engine.inspect(ID, signal)).resolves.toMatchObject({ pid: 7 });
  });

  it.skipIf(own !== 0)('of a user do not speak for others', async () => {
    chmodSync(fake.directory, 0o755);
    chownSync(fake.socketPath, 1234, 1234);
    await expect(engines().engineOf(location)).rejects.toMatchObject({ code: 'failed-precondition' });
    await expect(engines().engineOf({ ...location, loginUid: 1235 })).rejects.toThrow(/may not answer/);
    // As Docker without root.
    await expect(engines().engineOf({ ...location, loginUid: 1234 })).resolves.toBeInstanceOf(Engine);
  });

  it.skipIf(own !== 0)("do not answer for what is in a user's groups unless they are that user's", async () => {
    await expect(engines().engineOf({ ...location, loginUid: 1000 })).rejects.toThrow(/may not answer/);
  });
});

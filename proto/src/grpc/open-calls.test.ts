import { afterEach, describe, expect, it } from 'vitest';
import { entryV1 } from '../server-api.ts';
import { Code, heedRetryInfo, OpenCalls } from './index.ts';
import { closeAll, collect, connected, endless, failureOf, until } from './serve.fixture.ts';

afterEach(closeAll);
const { Entry } = entryV1;

describe('shutdown', () => {
  it('ends streams with UNAVAILABLE whatever their generator does, lets unary calls finish, refuses new ones', async () => {
    const openCalls = new OpenCalls();
    let answer = (): void => {};
    const client = await connected(
      Entry,
      {
        getEntry: async ({ id }) => {
          await new Promise<void>((resolve) => {
            answer = resolve;
          });
          return { id };
        },
        async *syncAuthorizedEntries(_requests, { signal }) {
          yield {};
          await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
          // Returning here must not become an OK.
        },
      },
      [],
      { openCalls },
    );
    const stubborn = collect(client.syncAuthorizedEntries(endless()));
    const unary = client.getEntry({ id: 'kept' });
    await until(() => openCalls.size === 2);
    openCalls.drain();
    const error = await failureOf(stubborn);
    expect([error.code, error.message]).toEqual([Code.UNAVAILABLE, 'the server is shutting down']);
    expect((await failureOf(client.getEntry({}))).code).toBe(Code.UNAVAILABLE);
    answer();
    expect((await unary).id).toBe('kept');
    expect(openCalls.size).toBe(0);
  });

  it('stop ends unary calls too', async () => {
    const openCalls = new OpenCalls();
    const client = await connected(Entry, { getEntry: () => new Promise(() => {}) }, [], { openCalls });
    const hanging = failureOf(client.getEntry({}));
    await until(() => openCalls.size === 1);
    openCalls.stop();
    expect((await hanging).code).toBe(Code.UNAVAILABLE);
  });

  it('refuses what is too much, and says when to come again', async () => {
    const openCalls = new OpenCalls(2);
    const client = await connected(Entry, { getEntry: () => new Promise(() => {}) }, [], { openCalls });
    const hanging = [failureOf(client.getEntry({})), failureOf(client.getEntry({}))];
    await until(() => openCalls.size === 2);
    const error = await failureOf(client.getEntry({}));
    expect([error.code, heedRetryInfo(error, 0)]).toEqual([Code.UNAVAILABLE, 5]);
    openCalls.stop();
    await Promise.all(hanging);
    expect(openCalls.size).toBe(0);
  });
});

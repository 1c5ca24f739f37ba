import { create, createFileRegistry, type DescService, fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema, StringValueSchema } from '@bufbuild/protobuf/wkt';
import { afterEach, describe, expect, it } from 'vitest';
import { entryV1 } from '../server-api.ts';
import { SpiffeWorkloadAPI } from '../workload.ts';
import { Code, GrpcError, type Handlers } from './index.ts';
import { closeAll, collect, connected, failureOf, first, turn, until } from './serve.fixture.ts';

afterEach(closeAll);
const { Entry } = entryV1;

describe('server streams', () => {
  it('delivers in order and ends with OK', async () => {
    const client = await connected(SpiffeWorkloadAPI, {
      async *fetchX509Bundles() {
        for (const n of [1, 2, 3]) yield { bundles: { [`${n}`]: Uint8Array.of(n) } };
      },
    });
    const all = await collect(client.fetchX509Bundles({}));
    expect(all.flatMap((message) => Object.keys(message.bundles))).toEqual(['1', '2', '3']);
  });

  it('keeps what was sent before an error', async () => {
    const client = await connected(SpiffeWorkloadAPI, {
      async *fetchX509Bundles() {
        yield {};
        throw GrpcError.of(Code.PERMISSION_DENIED, 'no identity issued');
      },
    });
    let messages = 0;
    const error = await failureOf(
      (async () => {
        for await (const message of client.fetchX509Bundles({})) messages += 1 + Object.keys(message.bundles).length;
      })(),
    );
    expect([messages, error.code, error.message]).toEqual([1, Code.PERMISSION_DENIED, 'no identity issued']);
  });

  it('finishes the generator when the reader leaves', async () => {
    let finished = false;
    const client = await connected(SpiffeWorkloadAPI, {
      async *fetchX509Bundles(_request, { signal }) {
        try {
          yield {};
          await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        } finally {
          finished = true;
        }
      },
    });
    await first(client.fetchX509Bundles({}));
    await until(() => finished);
  });

  it('asks the generator no further while the reader does not read, and other streams go on', async () => {
    const pulled = { slow: 0, fast: 0 };
    const client = await connected(SpiffeWorkloadAPI, {
      async *fetchX509Bundles(_request, { metadata }) {
        const who = metadata.get('who')[0] as 'slow' | 'fast';
        for (let n = 0; n < 200; n++) {
          pulled[who]++;
          yield { bundles: { a: new Uint8Array(50_000) } };
        }
      },
    });
    const slow = client.fetchX509Bundles({}, { metadata: { who: 'slow' } })[Symbol.asyncIterator]();
    await slow.next();
    expect(await collect(client.fetchX509Bundles({}, { metadata: { who: 'fast' } }))).toHaveLength(200);
    expect(pulled.fast).toBe(200);
    expect(pulled.slow).toBeLessThan(100);
    await slow.return?.();
  });
});

describe('bidirectional streams', () => {
  it('answers while the client sends, and after it half-closed', async () => {
    const client = await connected(Entry, {
      async *syncAuthorizedEntries(requests) {
        let count = 0;
        for await (const { ids } of requests) {
          count++;
          yield { entries: ids.map((id) => ({ id })) };
        }
        yield { entryRevisions: [{ id: `${count}` }] };
      },
    });
    let release = (): void => {};
    const answered = new Promise<void>((resolve) => {
      release = resolve;
    });
    async function* requests() {
      yield { ids: ['a'] };
      await answered;
      yield { ids: ['b'] };
    }
    const got: string[] = [];
    for await (const { entries, entryRevisions } of client.syncAuthorizedEntries(requests())) {
      got.push(...entries.map(({ id }) => id), ...entryRevisions.map(({ id }) => id));
      release();
    }
    expect(got).toEqual(['a', 'b', '2']);
  });

  it('may end before the client half-closes, and then the client source is finished', async () => {
    let finished = false;
    async function* requests() {
      try {
        yield {};
        await turn();
        yield {};
      } finally {
        finished = true;
      }
    }
    const client = await connected(Entry, {
      async *syncAuthorizedEntries(requests) {
        await first(requests);
        yield { more: true };
      },
    });
    expect(await collect(client.syncAuthorizedEntries(requests()))).toHaveLength(1);
    await until(() => finished);
  });

  it('surfaces an error of the request source and tells the server', async () => {
    let aborted = false;
    const client = await connected(Entry, {
      async *syncAuthorizedEntries(requests, { signal }) {
        signal.addEventListener('abort', () => {
          aborted = true;
        });
        for await (const { ids } of requests) yield { entries: ids.map((id) => ({ id })) };
      },
    });
    let spoil = (): void => {};
    const answered = new Promise<void>((resolve) => {
      spoil = resolve;
    });
    async function* requests() {
      yield {};
      await answered;
      throw new Error('source broke');
    }
    const reading = (async () => {
      for await (const { more } of client.syncAuthorizedEntries(requests())) if (!more) spoil();
    })();
    await expect(reading).rejects.toThrow('source broke');
    await until(() => aborted);
  });
});

describe('client streams', () => {
  it('take all requests and answer once', async () => {
    const type = '.google.protobuf.StringValue';
    const file = create(FileDescriptorProtoSchema, {
      name: 'join.proto',
      package: 'test',
      syntax: 'proto3',
      dependency: ['google/protobuf/wrappers.proto'],
      service: [{ name: 'Join', method: [{ name: 'All', inputType: type, outputType: type, clientStreaming: true }] }],
    });
    const set = create(FileDescriptorSetSchema, { file: [StringValueSchema.file.proto, file] });
    const service = createFileRegistry(
      fromBinary(FileDescriptorSetSchema, toBinary(FileDescriptorSetSchema, set)),
    ).getService('test.Join') as DescService;
    const handlers = {
      async all(requests: AsyncIterable<{ value: string }>) {
        return { value: (await collect(requests)).map(({ value }) => value).join('+') };
      },
    } as Handlers<DescService>;
    const client = (await connected(service, handlers)) as unknown as {
      all(requests: AsyncIterable<{ value: string }>): Promise<{ value: string }>;
    };
    async function* requests() {
      yield { value: 'a' };
      yield { value: 'b' };
    }
    expect((await client.all(requests())).value).toBe('a+b');
  });
});

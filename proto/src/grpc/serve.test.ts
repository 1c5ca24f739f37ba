import { StringValueSchema } from '@bufbuild/protobuf/wkt';
import * as grpc from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { ErrorInfoSchema } from '../infra.ts';
import { entryV1 } from '../server-api.ts';
import { SpiffeWorkloadAPI } from '../workload.ts';
import {
  Code,
  createClient,
  findDetail,
  GrpcError,
  type Handlers,
  hasExactly,
  type Middleware,
  packDetail,
} from './index.ts';
import { closeAll, collect, connected, endless, failureOf, listen, until } from './serve.fixture.ts';

afterEach(closeAll);
const { Entry } = entryV1;

describe('unary calls', () => {
  it('answers from plain fields and from messages', async () => {
    const client = await connected(Entry, { getEntry: async ({ id }) => ({ id, spiffeId: { path: `/${id}` } }) });
    const entry = await client.getEntry({ id: 'e' });
    expect(entry.spiffeId?.path).toBe('/e');
    expect(entry.$typeName).toBe('spire.api.types.Entry');
  });

  it('gives status, message and details of a GrpcError', async () => {
    const client = await connected(Entry, {
      getEntry: async () => {
        const info = packDetail(ErrorInfoSchema, { reason: 'WHY', metadata: { a: 'ü' } });
        throw GrpcError.of(Code.PERMISSION_DENIED, 'nö: %41 \ud800', info);
      },
    });
    const error = await failureOf(client.getEntry({}));
    expect(error.code).toBe(Code.PERMISSION_DENIED);
    expect(error.message).toBe('nö: %41 \ufffd');
    expect(findDetail(error, ErrorInfoSchema)).toMatchObject({ reason: 'WHY', metadata: { a: 'ü' } });
    expect(findDetail(error, StringValueSchema)).toBeUndefined();
  });

  it('hides the text of any other error, or maps it as the host says', async () => {
    const fails: Handlers<typeof Entry> = {
      getEntry: async () => {
        throw new Error('secret');
      },
    };
    const hidden = await failureOf((await connected(Entry, fails)).getEntry({}));
    expect([hidden.code, hidden.message]).toEqual([Code.INTERNAL, 'internal error']);
    const mapError = (): GrpcError => GrpcError.of(Code.NOT_FOUND, 'mapped');
    const mapped = await failureOf((await connected(Entry, fails, [], { mapError })).getEntry({}));
    expect([mapped.code, mapped.message]).toEqual([Code.NOT_FOUND, 'mapped']);
  });

  it('treats a response that cannot be encoded as an error of the handler', async () => {
    const seen: unknown[] = [];
    const client = await connected(Entry, { countEntries: async () => ({ count: 2 ** 40 }) }, [
      (_call, next) =>
        next().catch((error: unknown) => {
          seen.push(error);
          throw error;
        }),
    ]);
    expect((await failureOf(client.countEntries({}))).code).toBe(Code.INTERNAL);
    expect(seen).toHaveLength(1);
  });

  it('answers UNIMPLEMENTED for a method without handler, behind the middleware, and for unknown ones', async () => {
    let asked = 0;
    const count: Middleware = (_call, next) => {
      asked++;
      return next();
    };
    const client = await connected(Entry, {}, [count]);
    expect((await failureOf(client.getEntry({}))).code).toBe(Code.UNIMPLEMENTED);
    expect((await failureOf(collect(client.syncAuthorizedEntries(endless())))).code).toBe(Code.UNIMPLEMENTED);
    expect(asked).toBe(2);
    const other = createClient(SpiffeWorkloadAPI, {
      address: await listen([]),
      credentials: grpc.credentials.createInsecure(),
    });
    expect((await failureOf(collect(other.fetchX509SVID({})))).code).toBe(Code.UNIMPLEMENTED);
    other.close();
  });

  it('aborts the handler when the client cancels or the deadline passes', async () => {
    const ended: string[] = [];
    let running = 0;
    const client = await connected(Entry, {
      getEntry: async ({ id }, { signal }) => {
        running++;
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        ended.push(id);
        return {};
      },
    });
    const controller = new AbortController();
    const cancelled = failureOf(client.getEntry({ id: 'cancel' }, { signal: controller.signal }));
    await until(() => running === 1);
    controller.abort(new Error('enough'));
    const error = await cancelled;
    expect([error.code, (error.cause as Error).message]).toEqual([Code.CANCELLED, 'enough']);
    const late = await failureOf(client.getEntry({ id: 'late' }, { deadline: 0.05 }));
    expect(late.code).toBe(Code.DEADLINE_EXCEEDED);
    await until(() => ended.length === 2);
    expect(ended).toEqual(['cancel', 'late']);
  });

  it('does not start when the signal has aborted already', async () => {
    const client = await connected(Entry, { getEntry: async () => ({}) });
    const signal = AbortSignal.abort();
    expect((await failureOf(client.getEntry({}, { signal }))).code).toBe(Code.CANCELLED);
    expect((await failureOf(collect(client.syncAuthorizedEntries(endless(), { signal })))).code).toBe(Code.CANCELLED);
  });
});

describe('middleware', () => {
  it('runs outermost first, sees the request and the context, and refuses before the handler', async () => {
    const steps: string[] = [];
    const step =
      (name: string): Middleware =>
      async ({ ctx, method, request }, next) => {
        steps.push(`${name} ${ctx.method} ${method.name} ${(request as { id: string }).id}`);
        if ((request as { id: string }).id === name) throw GrpcError.of(Code.UNAUTHENTICATED, name);
        await next();
        steps.push(`${name} done`);
      };
    const client = await connected(Entry, { getEntry: async ({ id }) => ({ id: `${id}!` }) }, [step('a'), step('b')]);
    expect((await client.getEntry({ id: 'x' })).id).toBe('x!');
    const path = '/spire.api.server.entry.v1.Entry/GetEntry GetEntry';
    expect(steps).toEqual([`a ${path} x`, `b ${path} x`, 'b done', 'a done']);
    expect((await failureOf(client.getEntry({ id: 'b' }))).message).toBe('b');
  });

  it('tells a header sent once from repeated, padded, differently written and binary ones', async () => {
    const client = await connected(Entry, {
      getEntry: async (_request, { metadata }) => ({ admin: hasExactly(metadata, 'workload.spiffe.io', 'true') }),
    });
    const admin = async (...pairs: [string, string | Buffer][]): Promise<boolean> => {
      const metadata = new grpc.Metadata();
      for (const [key, value] of pairs) metadata.add(key, value);
      return (await client.getEntry({}, { metadata })).admin;
    };
    const key = 'workload.spiffe.io';
    expect(await admin([key, 'true'])).toBe(true);
    for (const value of ['True', 'TRUE', '1', '', 'true,true', 'true, true', 'truetrue']) {
      expect(await admin([key, value]), value).toBe(false);
    }
    expect(await admin()).toBe(false);
    expect(await admin([key, 'true'], [key, 'true'])).toBe(false);
    expect(await admin([key, 'true'], [key, 'false'])).toBe(false);
    expect(await admin([`${key}-bin`, Buffer.from('true')])).toBe(false);
  });
});

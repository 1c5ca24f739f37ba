import { describe, expect, it } from 'vitest';
import { CallEnd } from './call-end.ts';
import { Code } from './code.ts';
import { GrpcError } from './status.ts';

const gone = () => GrpcError.of(Code.CANCELLED, 'gone');
const late = () => GrpcError.of(Code.DEADLINE_EXCEEDED, 'late');

describe('CallEnd', () => {
  it('ends everything that waits, with the reason of the first end', async () => {
    const end = new CallEnd();
    const never = new Promise<never>(() => {});
    const waiting = [end.orEnded(never), end.orEnded(never)];
    const { signal } = end;
    end.end(late);
    end.end(gone);
    for (const one of [...waiting, end.orEnded(never)]) await expect(one).rejects.toBe(end.reason);
    expect(end.reason).toMatchObject({ code: Code.DEADLINE_EXCEEDED });
    expect(signal.reason).toBe(end.reason);
    expect(end.signal).toBe(signal);
  });

  it('passes on what was waited for, before and after', async () => {
    const end = new CallEnd();
    await expect(end.orEnded(Promise.resolve(1))).resolves.toBe(1);
    await expect(end.orEnded(Promise.reject(new Error('own')))).rejects.toThrow('own');
    const { promise, resolve } = Promise.withResolvers<number>();
    const waiting = end.orEnded(promise);
    end.end(gone);
    resolve(1);
    await expect(waiting).rejects.toMatchObject({ code: Code.CANCELLED });
  });

  it('makes no error for the connection that ends after the answer, but tells who holds the signal', async () => {
    const end = new CallEnd();
    const { signal } = end;
    const left = end.orEnded(new Promise(() => {}));
    end.finish();
    let made = 0;
    end.end(() => {
      made += 1;
      return gone();
    });
    expect(made).toBe(0);
    expect(signal.reason).toMatchObject({ code: Code.CANCELLED });
    await expect(left).rejects.toMatchObject({ code: Code.CANCELLED });
  });
});

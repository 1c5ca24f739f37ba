import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogFormat } from './log-format.ts';
import { createLogger, type LogLevel, silentLogger } from './logger.ts';

function recording(format: LogFormat = 'text', level: LogLevel = 'info') {
  const lines: string[] = [];
  const logger = createLogger({ format, level, write: (line) => lines.push(line), now: () => 1_700_000_000.5 });
  return { logger, lines };
}

describe('text lines', () => {
  it('look like logrus', () => {
    const { logger, lines } = recording();
    logger.info('Server started', { port: 8081, address: '0.0.0.0', note: 'two words', empty: '', ok: true });
    logger.warn('careful');
    expect(lines).toEqual([
      'time="2023-11-14T22:13:20.500Z" level=info msg="Server started" address=0.0.0.0 empty="" note="two words" ok=true port=8081\n',
      'time="2023-11-14T22:13:20.500Z" level=warning msg="careful"\n',
    ]);
  });

  it('are one line each, whatever is logged', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), fc.string(), (message, value, key) => {
        const { logger, lines } = recording();
        logger.info(message, { [key]: value, list: [value] });
        expect(lines).toHaveLength(1);
        expect(lines[0]).toMatch(/^[^\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e]*\n$/u);
        expect(lines[0]?.match(/ level=/g)?.length).toBe(
          1 + (message + value).split(' level=').length - 1 + (value.includes(' level=') ? 1 : 0),
        );
      }),
    );
  });

  it('cannot be forged', () => {
    const { logger, lines } = recording();
    logger.info('x"\ntime="2030-01-01" level=error msg="forged', { 'a b="c': '\u001b[31mred\u202e' });
    expect(lines).toEqual([
      'time="2023-11-14T22:13:20.500Z" level=info msg="x\\"\\ntime=\\"2030-01-01\\" level=error msg=\\"forged" a_b__c="\\u001b[31mred\\u202e"\n',
    ]);
  });
});

describe('JSON lines', () => {
  it('hold the fields', () => {
    const { logger, lines } = recording('json');
    logger.error('failed', { count: 3n, list: [1, undefined, 'x'], nested: { a: null }, skipped: undefined });
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      time: '2023-11-14T22:13:20.500Z',
      level: 'error',
      msg: 'failed',
      count: '3',
      list: [1, null, 'x'],
      nested: { a: null },
    });
  });

  it('keep the head from being overwritten', () => {
    const { logger, lines } = recording('json');
    logger.info('m', { msg: 'forged', level: 'forged', time: 'forged', ['__proto__']: 'p' });
    const parsed = JSON.parse(lines[0] ?? '') as object;
    expect(parsed).toMatchObject({ msg: 'm', level: 'info', 'fields.msg': 'forged' });
    expect(Object.keys(parsed)).toContain('__proto__');
  });
});

describe('levels', () => {
  it('let through what is as important', () => {
    const { logger, lines } = recording('json', 'warn');
    logger.trace('1');
    logger.debug('2');
    logger.info('3');
    logger.warn('4');
    logger.error('5');
    expect(lines).toHaveLength(2);
  });

  it('change at runtime for the whole family', () => {
    const { logger, lines } = recording();
    const child = logger.child({ component: 'a' });
    const grandchild = child.child({ part: 'b' });
    grandchild.level = 'debug';
    expect(logger.level).toBe('debug');
    child.debug('now heard');
    logger.level = 'panic';
    child.error('silenced');
    expect(lines.map((line) => line.slice(line.indexOf('level')))).toEqual([
      'level=debug msg="now heard" component=a\n',
    ]);
  });

  it('refuse an unknown one', () => {
    const { logger } = recording();
    expect(() => {
      logger.level = 'loud' as LogLevel;
    }).toThrow(RangeError);
    expect(logger.level).toBe('info');
  });

  it('give children their fields, which a call may replace', () => {
    const { logger, lines } = recording('json');
    logger.child({ a: 1, b: 1 }).child({ b: 2 }).info('m', { c: 3, a: 9 });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ a: 9, b: 2, c: 3 });
  });

  it('include silence', () => {
    expect(silentLogger.level).toBe('panic');
    silentLogger.child({}).error('nothing');
  });
});

describe('redaction', () => {
  const logged = (fields: Record<string, unknown>, message = 'm') => {
    const { logger, lines } = recording('json');
    logger.info(message, fields);
    return lines.join('');
  };
  const jwt = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl';
  const pem = '-----BEGIN EC PRIVATE KEY-----\nc2VjcmV0\n-----END EC PRIVATE KEY-----';

  it.each([
    'token',
    'join_token',
    'joinToken',
    'JOIN-TOKEN',
    'password',
    'private_key',
    'x509_svid_key',
    'csr',
    'Authorization',
  ])('hides values named %s at any depth', (name) => {
    expect(logged({ [name]: 'hunter2' })).not.toContain('hunter2');
    expect(logged({ a: [{ b: { [name]: { deep: 'hunter2' } } }] })).not.toContain('hunter2');
  });

  it('keeps what only sounds like a secret', () => {
    expect(logged({ key_id: 'abc', token_count: 3, key_type: 'ec-p256' })).toContain('"key_id":"abc"');
  });

  it.each([
    ['a JWT', jwt],
    ['a private key', pem],
    ['a private key cut short', pem.slice(0, 40)],
    ['a password in a URL', 'postgres://user:c2lnbmF0dXJl@host/db'],
  ])('hides %s wherever it stands', (_, secret) => {
    for (const line of [
      logged({ note: `x ${secret} y` }),
      logged({}, `x ${secret} y`),
      logged({ error: new Error(`x ${secret} y`) }),
      logged({ error: new Error('outer', { cause: new Error(secret) }) }),
      logged({ list: [[secret]] }),
    ]) {
      expect(line).toContain('[redacted]');
      expect(line).not.toMatch(/c2VjcmV0|c2lnbmF0dXJl/);
    }
  });

  it('shows of bytes only their number', () => {
    expect(logged({ data: Uint8Array.of(1, 2, 3) })).toContain('[3 bytes]');
  });

  it('joins the messages of an error and its causes', () => {
    const error = new Error('outer', { cause: new Error('middle', { cause: new Error('inner') }) });
    expect(logged({ error })).toContain('"outer: middle: inner"');
  });

  it('survives whatever it is given', () => {
    const cyclic: Record<string, unknown> = {};
    cyclic['self'] = cyclic;
    const hostile = {
      cyclic,
      get thrower() {
        throw new Error('no');
      },
      proxy: new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error('no');
          },
        },
      ),
      noPrototype: Object.create(null) as object,
      unprintable: { __proto__: { toString: null } },
      symbol: Symbol('s'),
      fn: () => 1,
      nan: Number.NaN,
      date: new Date(Number.NaN),
      map: new Map(),
      wide: Array.from({ length: 10_000 }, (_, i) => i),
      long: 'x'.repeat(1_000_000),
      deep: JSON.parse(`${'['.repeat(1000)}${']'.repeat(1000)}`) as unknown,
    };
    const line = logged(hostile);
    expect(line.length).toBeLessThan(20_000);
    expect(JSON.parse(line)).toMatchObject({ thrower: '[unreadable]', nan: 'NaN' });
  });

  it('is quick on long texts', () => {
    for (const text of [
      'ey'.repeat(500_000),
      '://'.repeat(300_000),
      '-----BEGIN '.repeat(90_000),
      `://${'a:'.repeat(400_000)}`,
    ]) {
      expect(logged({ note: text }).length).toBeLessThan(10_000);
    }
  });
});

import { readFile, stat, writeFile } from 'node:fs/promises';
import { ConfigError } from '@steeple/daemon';
import { toPem } from '@steeple/spiffe';
import { TestTrustDomain, tempDir } from '@steeple/test-kit';
import { expect, it } from 'vitest';
import { Storage } from './storage.ts';

const domain = await TestTrustDomain.create('a.test');
const roots = domain.bundle.x509Authorities.map(({ certificate }) => certificate);

it('remembers SVID, bundle and method across runs, for its owner only', async () => {
  await using dir = await tempDir();
  const { chain } = await domain.x509Svid('/spire/agent/x');
  const storage = new Storage(dir.join('data'));
  expect(await storage.load()).toEqual({ svid: [], bundle: [], reattestable: false, attempts: undefined });
  await Promise.all([storage.saveSvid(chain, true), storage.saveBundle(roots)]);
  const again = await new Storage(dir.join('data')).load();
  expect(again.svid.map(({ serialHex }) => serialHex)).toEqual(chain.map(({ serialHex }) => serialHex));
  expect(again.bundle).toHaveLength(1);
  expect(again.reattestable).toBe(true);
  expect((await stat(dir.join('data', 'agent-data.json'))).mode & 0o777).toBe(0o600);
  await storage.forgetSvid();
  expect(await new Storage(dir.join('data')).load()).toMatchObject({ svid: [], bundle: [{}] });
});

it('reads and writes the file as a SPIRE agent does, and as we once did', async () => {
  await using dir = await tempDir();
  const { leaf } = await domain.x509Svid('/spire/agent/x');
  const base64 = (content: Uint8Array | string) => Buffer.from(content).toString('base64');
  for (const form of [(raw: Uint8Array) => base64(toPem('CERTIFICATE', raw)), base64]) {
    const theirs = {
      svid: [form(leaf.raw)],
      bundle: roots.map(({ raw }) => form(raw)),
      reattestable: true,
      bootstrap_use: 2,
      bootstrap_start_time: '0001-01-01T00:00:00Z',
      connection_attempts: 0,
    };
    await writeFile(dir.join('agent-data.json'), JSON.stringify(theirs));
    const storage = new Storage(dir.path);
    const stored = await storage.load();
    expect(stored.svid[0]?.serialHex).toBe(leaf.serialHex);
    expect(stored.attempts).toBeUndefined();
    await storage.saveSvid(stored.svid, true);
    const written: unknown = JSON.parse(await readFile(dir.join('agent-data.json'), 'utf8'));
    expect(written).toEqual({
      ...theirs,
      svid: [base64(toPem('CERTIFICATE', leaf.raw))],
      bundle: roots.map(({ raw }) => base64(toPem('CERTIFICATE', raw))),
    });
  }
});

it('remembers since when the server has not been trusted', async () => {
  await using dir = await tempDir();
  const storage = new Storage(dir.path);
  await storage.load();
  await storage.saveAttempts({ since: 1_700_000_000.5, count: 3 });
  expect((await new Storage(dir.path).load()).attempts).toEqual({ since: 1_700_000_000.5, count: 3 });
  await storage.saveAttempts(undefined);
  expect((await new Storage(dir.path).load()).attempts).toBeUndefined();
});

it.each([
  '',
  '{',
  '{"svid":["AAA',
  '[]',
  'null',
  '{"svid":"x"}',
  '{"svid":[1]}',
  '{"bundle":["AAAA"]}',
  '{"bundle":["LS0tLS1CRUdJTg=="]}',
  '{"svid":[],"svid":[]}',
])('says what is wrong with %j and leaves it alone', async (content) => {
  await using dir = await tempDir();
  await writeFile(dir.join('agent-data.json'), content);
  const error = await new Storage(dir.path).load().then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(ConfigError);
  expect((error as ConfigError).message).toContain(dir.join('agent-data.json'));
  expect(await readFile(dir.join('agent-data.json'), 'utf8')).toBe(content);
});

import { readFile, stat, writeFile } from 'node:fs/promises';
import { ConfigError } from '@steeple/daemon';
import { TestTrustDomain, tempDir } from '@steeple/test-kit';
import { expect, it } from 'vitest';
import { Storage } from './storage.ts';

const domain = await TestTrustDomain.create('a.test');
const roots = domain.bundle.x509Authorities.map(({ certificate }) => certificate);

it('remembers SVID, bundle and method across runs, for its owner only', async () => {
  await using dir = await tempDir();
  const { chain } = await domain.x509Svid('/spire/agent/x');
  const storage = new Storage(dir.join('data'));
  expect(await storage.load()).toEqual({ svid: [], bundle: [], reattestable: false });
  await Promise.all([storage.saveSvid(chain, true), storage.saveBundle(roots)]);
  const again = await new Storage(dir.join('data')).load();
  expect(again.svid.map(({ serialHex }) => serialHex)).toEqual(chain.map(({ serialHex }) => serialHex));
  expect(again.bundle).toHaveLength(1);
  expect(again.reattestable).toBe(true);
  expect((await stat(dir.join('data', 'agent-data.json'))).mode & 0o777).toBe(0o600);
  await storage.forgetSvid();
  expect(await new Storage(dir.join('data')).load()).toMatchObject({ svid: [], bundle: [{}] });
});

it('reads the file as a SPIRE agent writes it', async () => {
  await using dir = await tempDir();
  const base64 = (raw: Uint8Array) => Buffer.from(raw).toString('base64');
  const { leaf } = await domain.x509Svid('/spire/agent/x');
  const theirs = {
    svid: [base64(leaf.raw)],
    bundle: roots.map(({ raw }) => base64(raw)),
    reattestable: true,
    bootstrap_use: false,
    bootstrap_start_time: '0001-01-01T00:00:00Z',
    connection_attempts: 0,
  };
  await writeFile(dir.join('agent-data.json'), JSON.stringify(theirs));
  expect((await new Storage(dir.path).load()).svid[0]?.serialHex).toBe(leaf.serialHex);
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

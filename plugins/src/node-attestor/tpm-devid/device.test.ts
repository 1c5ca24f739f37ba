import { mkdir, writeFile } from 'node:fs/promises';
import { tempDir } from '@steeple/test-kit';
import { expect, it } from 'vitest';
import { detectTpm } from './device.ts';
import { tcpAddress } from './tpm/transport.ts';

it.each<[readonly string[], string]>([
  [['tpm0', 'tpmrm0', 'null'], 'tpmrm0'],
  [['tpm3', 'tpmx', 'xtpm0'], 'tpm3'],
])('finds the TPM among %j', async (names, found) => {
  await using dir = await tempDir();
  for (const name of names) await writeFile(dir.join(name), '');
  expect(await detectTpm(dir.path)).toBe(dir.join(found));
});

it.each<[readonly string[], string]>([
  [['null', 'tpm'], 'has no TPM'],
  [['tpmrm0', 'tpmrm1'], 'more than one TPM (tpmrm0, tpmrm1…)'],
  [['tpm0', 'tpm1'], 'more than one TPM'],
])('chooses none among %j', async (names, reason) => {
  await using dir = await tempDir();
  await mkdir(dir.join('d'));
  for (const name of names) await writeFile(dir.join('d', name), '');
  const problems = [{ path: 'tpm_device_path', message: expect.stringContaining(reason) }];
  await expect(detectTpm(dir.join('d'))).rejects.toMatchObject({ name: 'ConfigError', problems });
});

it.each([
  ['tcp://127.0.0.1:2321', { host: '127.0.0.1', port: 2321 }],
  ['tcp://[::1]:2321', { host: '::1', port: 2321 }],
  ['tcp://tpm.local:1', { host: 'tpm.local', port: 1 }],
  ['tcp://host:70000', undefined],
  ['tcp://host', undefined],
  ['tcp://a/b:1', undefined],
  ['/dev/tpm0', undefined],
])('reads %j', (text, address) => {
  expect(tcpAddress(text)).toEqual(address);
});

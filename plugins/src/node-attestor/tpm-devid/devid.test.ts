import { writeFile } from 'node:fs/promises';
import { toPem } from '@steeple/spiffe';
import { type TempDir, tempDir } from '@steeple/test-kit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readDevId } from './devid.ts';
import { withAttributes } from './testing/software-keys.ts';
import { certifyDevId, DEVID_KEY, startNode, type TestNode } from './testing/test-node.ts';
import { ALG, ATTRIBUTE } from './tpm/algorithms.ts';
import { sized } from './tpm/bytes.ts';

let dir: TempDir;
let node: TestNode;
beforeAll(async () => {
  dir = await tempDir();
  node = await startNode(dir.path);
});
afterAll(async () => {
  await node[Symbol.asyncDispose]();
  await dir[Symbol.asyncDispose]();
});

const unusable = (message: string) => ({ code: 'failed-precondition', message: expect.stringContaining(message) });

it('reads blobs as SPIRE has them and as tpm2-tools write them', async () => {
  const { publicArea, privateBlob, certificates } = await readDevId(node.files);
  expect(certificates).toEqual([new Uint8Array(node.certificate)]);
  const files = { ...node.files, publicBlobPath: dir.join('sized.pub'), privateBlobPath: dir.join('sized.priv') };
  await writeFile(files.publicBlobPath, sized(publicArea.raw));
  await writeFile(files.privateBlobPath, sized(privateBlob));
  const same = await readDevId(files);
  expect(Buffer.from(same.privateBlob)).toEqual(Buffer.from(privateBlob));
  expect(same.publicArea.name).toEqual(publicArea.name);
});

it('names the file at fault', async () => {
  const { files } = node;
  for (const key of ['certificatePath', 'privateBlobPath', 'publicBlobPath'] as const) {
    const absent = readDevId({ ...files, [key]: dir.join('absent') });
    await expect(absent, key).rejects.toMatchObject(unusable(`${dir.join('absent')} cannot be read (ENOENT)`));
  }
  const path = dir.join('odd');
  await writeFile(path, 'text');
  await expect(readDevId({ ...files, publicBlobPath: path })).rejects.toMatchObject(unusable(`${path} cannot be used`));
  await expect(readDevId({ ...files, certificatePath: path })).rejects.toMatchObject(unusable('holds no certificate'));
  await writeFile(path, Buffer.alloc(70_000));
  await expect(readDevId({ ...files, privateBlobPath: path })).rejects.toMatchObject(unusable('is too long'));
});

it('refuses a key that is not that of the certificate, or that no server could verify', async () => {
  const path = dir.join('key');
  const attempt = async (template: Uint8Array) => {
    const { area } = node.tpm.key(template);
    await writeFile(path, area.raw);
    return await readDevId({ ...node.files, publicBlobPath: path });
  };
  await expect(attempt(DEVID_KEY.rsa)).rejects.toMatchObject(unusable('is not the key of the first certificate'));
  const mute = withAttributes(DEVID_KEY.rsa, (all) => all & ~ATTRIBUTE.sign);
  await expect(attempt(mute)).rejects.toMatchObject(unusable('is not a signing key'));
  const pss = Buffer.from(DEVID_KEY.rsa);
  pss.writeUInt16BE(ALG.rsapss, 12);
  await expect(attempt(pss)).rejects.toMatchObject(unusable('neither by RSASSA nor by ECDSA with SHA-256'));
  const sha384 = Buffer.from(DEVID_KEY.rsa);
  sha384.writeUInt16BE(ALG.sha384, 14);
  await expect(attempt(sha384)).rejects.toMatchObject(unusable('neither by RSASSA nor by ECDSA with SHA-256'));
});

it('takes a key that leaves the scheme to its user', async () => {
  const open = Buffer.concat([DEVID_KEY.ecc.subarray(0, 12), Buffer.from('0010', 'hex'), DEVID_KEY.ecc.subarray(16)]);
  const files = { ...node.files, publicBlobPath: dir.join('open.pub'), certificatePath: dir.join('open.crt') };
  const key = node.tpm.key(open);
  await writeFile(files.publicBlobPath, key.area.raw);
  await writeFile(files.certificatePath, toPem('CERTIFICATE', certifyDevId(key)));
  expect((await readDevId(files)).publicArea.scheme).toBeUndefined();
});

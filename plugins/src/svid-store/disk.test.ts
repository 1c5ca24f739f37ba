import { createPrivateKey } from 'node:crypto';
import { mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseCertificatesPem, spkiOf } from '@steeple/spiffe';
import { tempDir } from '@steeple/test-kit';
import { afterAll, describe, expect, it } from 'vitest';
import { DiskSvidStore } from './disk.ts';
import { formOf, type OpenedStore, storable, svidStoreContract } from './svid-store.contract.ts';

const dir = await tempDir();
afterAll(() => dir[Symbol.asyncDispose]());
let stores = 0;

async function open(): Promise<OpenedStore & { directory: string }> {
  const directory = dir.join(`store-${++stores}`);
  const store = await DiskSvidStore.open(directory);
  return {
    directory,
    store,
    async read(metadata) {
      const folder = join(directory, metadata[0]?.slice('name:'.length) ?? '');
      const names = await readdir(folder).catch(() => undefined);
      if (names === undefined) return undefined;
      const text = (name: string) => readFile(join(folder, name), 'utf8');
      const [leaf] = parseCertificatesPem(await text('svid.pem'));
      return {
        id: leaf?.uriSans[0] ?? '',
        leaf: Buffer.from(leaf?.raw ?? '').toString('base64'),
        spki: Buffer.from(spkiOf(createPrivateKey(await text('svid_key.pem')))).toString('base64'),
        roots: parseCertificatesPem(await text('svid_bundle.pem')).length,
        federated: names.flatMap((name) => /^federated_(.*)\.pem$/.exec(name)?.[1] ?? []).sort(),
      };
    },
  };
}

svidStoreContract(open, {
  places: [['name:web'], ['name:web.1_2-3']],
  nowhere: [
    [],
    ['name:'],
    ['web'],
    ['name:..'],
    ['name:.hidden'],
    ['name:a/b'],
    ['name:a\0b'],
    ['name:ü'],
    ['name:web', 'name:other'],
    [`name:${'x'.repeat(101)}`],
  ],
});

describe('the disk store', () => {
  it('lets nobody else read, whatever the umask, and leaves one version', async () => {
    const { store, directory } = await open();
    for (let round = 0; round < 3; round++) await store.put(await storable('/web'), ['name:web']);
    const names = (await readdir(directory)).sort();
    expect(names).toEqual([await readlink(join(directory, 'web')), 'web']);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    expect((await stat(join(directory, 'web'))).mode & 0o777).toBe(0o700);
    for (const file of await readdir(join(directory, 'web'))) {
      expect((await stat(join(directory, 'web', file))).mode & 0o777).toBe(0o600);
    }
  });

  it('gives whoever opened the directory the files of one SVID', async () => {
    const { store, directory } = await open();
    await store.put(await storable('/old'), ['name:web']);
    const before = await readlink(join(directory, 'web'));
    await store.put(await storable('/new'), ['name:web']);
    expect(await readlink(join(directory, 'web'))).not.toBe(before);
  });

  it('clears away what a crash left, and nothing of others', async () => {
    const { store, directory } = await open();
    const left = join(directory, '.web.0123456789abcdef');
    await mkdir(left);
    await symlink('.web.0123456789abcdef', `${left}.link`);
    await mkdir(join(directory, '.web.2.0123456789abcdef'));
    await writeFile(join(directory, 'notes'), 'mine');
    await store.put(await storable('/web'), ['name:web']);
    const names = await readdir(directory);
    expect(names).toHaveLength(4);
    expect(names).toEqual(expect.arrayContaining(['.web.2.0123456789abcdef', 'notes', 'web']));
  });

  it('does not touch what is not its own', async () => {
    const { store, directory } = await open();
    await mkdir(join(directory, 'web'));
    await symlink('/etc', join(directory, 'api'));
    for (const name of ['web', 'api']) {
      await expect(store.put(await storable('/x'), [`name:${name}`])).rejects.toThrow(/something else/);
      await expect(store.remove([`name:${name}`])).rejects.toMatchObject({ code: 'internal' });
    }
    expect(await readlink(join(directory, 'api'))).toBe('/etc');
  });

  it('keeps the old one when the new one cannot be written', async () => {
    const { store, directory, read } = await open();
    const old = await storable('/old');
    await store.put(old, ['name:web']);
    // No file system takes a name that long.
    const broken = await storable('/new', [`${'b'.repeat(60)}.${'c'.repeat(190)}`]);
    await expect(store.put(broken, ['name:web'])).rejects.toMatchObject({ code: 'internal' });
    expect(await read(['name:web'])).toEqual(formOf(old));
    await store.put(old, ['name:web']);
    expect(await readdir(directory)).toHaveLength(2);
  });
});

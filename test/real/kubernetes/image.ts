// Images out of folders, without any engine: the archive that `docker save` writes.
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { arch } from 'node:os';
import { join } from 'node:path';
import { run } from '../../stack/process.ts';
import { programPath } from '../debian-packages.ts';

const FIXED = ['--sort=name', '--mtime=@0', '--numeric-owner', '--owner=0', '--group=0', '--format=gnu'];

export interface Image {
  /** With a tag, like `busybox:1`. */
  readonly name: string;
  readonly command: readonly string[];
  /** Stands before the arguments of pods that name no command. */
  readonly entrypoint?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
}

/** Writes an image archive of a root file system; the same folder gives the same digests. */
export async function writeImage(archive: string, root: string, image: Image): Promise<void> {
  const work = await mkdtemp(`${archive}-`);
  try {
    await tar(['-C', root, ...FIXED, '-cf', join(work, 'layer.tar'), '.']);
    const config = JSON.stringify({
      architecture: arch() === 'x64' ? 'amd64' : arch(),
      os: 'linux',
      config: {
        Env: ['PATH=/usr/bin:/bin:/usr/sbin:/sbin'],
        Entrypoint: image.entrypoint ?? null,
        Cmd: image.command,
        Labels: image.labels ?? {},
      },
      rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(await readFile(join(work, 'layer.tar')))}`] },
    });
    const name = `${sha256(config)}.json`;
    await writeFile(join(work, name), config);
    const manifest = [{ Config: name, RepoTags: [image.name], Layers: ['layer.tar'] }];
    await writeFile(join(work, 'manifest.json'), JSON.stringify(manifest));
    await tar(['-C', work, '-cf', `${archive}.part`, 'manifest.json', name, 'layer.tar']);
    await rename(`${archive}.part`, archive);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/**
 * A root file system with busybox, and links to where a pod may mount the machine's `/usr`: then every program and library
 * of the machine runs in it.
 */
export async function busyboxRoot(folder: string): Promise<void> {
  const busybox = await programPath('busybox');
  if (busybox === undefined) throw new Error('busybox is not installed');
  for (const name of ['bin', 'etc', 'tmp', 'usr']) await mkdir(join(folder, name), { recursive: true });
  await copyFile(busybox, join(folder, 'bin/busybox'));
  const { output } = await run(busybox, ['--list']);
  for (const name of output.trim().split('\n'))
    if (name !== 'busybox') await symlink('busybox', join(folder, 'bin', name));
  for (const name of ['lib', 'lib64']) await symlink(`usr/${name}`, join(folder, name));
  await writeFile(join(folder, 'etc/passwd'), 'root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n');
}

async function tar(args: readonly string[]): Promise<void> {
  const { code, output } = await run('tar', args);
  if (code !== 0) throw new Error(`tar failed: ${output}`);
}

const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');

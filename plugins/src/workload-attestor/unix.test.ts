import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { peerOf } from './peer-for-tests.ts';
import { UnixAttestor, type UnixAttestorOptions, unixAttestor } from './unix.ts';
import { workloadAttestorContract } from './workload-attestor.contract.ts';

const directory = realpathSync(mkdtempSync(join(tmpdir(), 'steeple-unix-')));
chmodSync(directory, 0o755);
afterAll(() => rmSync(directory, { recursive: true }));
const passwdFile = join(directory, 'passwd');
const groupFile = join(directory, 'group');
writeFileSync(passwdFile, `root:x:0:0::/:/bin/sh\nme:x:${process.getuid?.()}:0::/:\nweb:x:1234:1234::/:\n`);
writeFileSync(groupFile, `g0:x:${process.getgid?.()}:\nwebs:x:1235:\nextra:x:1236:a,b\n`);

const isRoot = process.getuid?.() === 0;
const { signal } = new AbortController();
const children: ChildProcess[] = [];
afterEach(() => children.splice(0).forEach((child) => child.kill('SIGKILL')));

function attestor(options: Partial<UnixAttestorOptions> = {}): UnixAttestor {
  return new UnixAttestor({
    discover_workload_path: false,
    workload_size_limit: 0,
    monotonic: () => 0,
    passwdFile,
    groupFile,
    ...options,
  });
}

/** A child that runs until the test ends; resolves once it has printed a line. */
async function running(command: string, args: string[] = []): Promise<ChildProcess & { readonly pid: number }> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  await once(child.stdout, 'data');
  return child as ChildProcess & { readonly pid: number };
}

/** Opens a FIFO for writing as soon as someone waits for its content, which ends when this is closed. */
async function writerOf(fifo: string): Promise<number> {
  for (;;) {
    try {
      return openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch {
      await delay(5);
    }
  }
}

const READY = 'console.log("ready"); setInterval(() => {}, 1000)';
const node = (script = READY) => running(process.execPath, ['-e', script]);
const values = async (pid: number, options?: Partial<UnixAttestorOptions>) =>
  (await attestor(options).attest(peerOf(pid), signal)).map(({ value }) => value);
const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
const withPath = { discover_workload_path: true };
const copyOf = (name: string) => {
  const path = join(directory, name);
  copyFileSync(process.execPath, path);
  chmodSync(path, 0o755);
  return path;
};

describe('unix', () => {
  workloadAttestorContract(() => attestor());
  workloadAttestorContract(() => attestor(withPath));

  it('tells the effective owner, not what the socket said', async () => {
    const { pid } = await node();
    const found = await values(pid);
    expect(found.slice(0, 4)).toEqual([
      `uid:${process.getuid?.()}`,
      isRoot ? 'user:root' : 'user:me',
      `gid:${process.getgid?.()}`,
      'group:g0',
    ]);
    const supplementary = process.getgroups?.() ?? [];
    const listed = found.filter((value) => value.startsWith('supplementary_gid:'));
    expect(listed.map((value) => Number(value.slice(18))).every((gid) => supplementary.includes(gid))).toBe(true);
  });

  it.skipIf(!isRoot)('follows a daemon that gave up root after it connected', async () => {
    const script = `process.setgroups([1235, 1236, 1237]); process.setgid(1235); process.setuid(1234); ${READY}`;
    const { pid } = await node(script);
    const found = await values(pid, withPath);
    const executable = realpathSync(process.execPath);
    expect(found).toEqual([
      'uid:1234',
      'user:web',
      'gid:1235',
      'group:webs',
      'supplementary_gid:1235',
      'supplementary_group:webs',
      'supplementary_gid:1236',
      'supplementary_group:extra',
      'supplementary_gid:1237',
      `path:${executable}`,
      `sha256:${sha256(executable)}`,
    ]);
  });

  it.skipIf(!isRoot)('tells the effective ids where they differ from the real ones', async () => {
    const { pid } = await node(`process.setegid(1235); process.seteuid(1234); ${READY}`);
    expect(await values(pid)).toEqual(expect.arrayContaining(['uid:1234', 'gid:1235']));
  });

  it('tells no names where there are none', async () => {
    const { pid } = await node();
    const found = await values(pid, { passwdFile: '/nonexistent', groupFile: directory });
    expect(found.filter((value) => /^(user|group|supplementary_group):/.test(value))).toEqual([]);
  });

  it('is not fooled by the name a process gives itself', async () => {
    const { pid } = await node(`process.title = 'x\\nUid:\\t0\\t0\\t0\\t0\\nGroups:\\t0'; ${READY}`);
    expect((await values(pid))[0]).toBe(`uid:${process.getuid?.()}`);
  });

  it('tells path and digest of the executable', async () => {
    const path = copyOf('app');
    const { pid } = await running(path, ['-e', READY]);
    const found = await values(pid, withPath);
    expect(found).toEqual(expect.arrayContaining([`path:${path}`, `sha256:${sha256(path)}`]));
    const noDigest = await values(pid, { ...withPath, workload_size_limit: -1 });
    expect(noDigest.filter((value) => /^(path|sha256):/.test(value))).toEqual([`path:${path}`]);
    const { size } = statSync(path);
    expect(await values(pid, { ...withPath, workload_size_limit: size })).toContain(`sha256:${sha256(path)}`);
    const tooLarge = attestor({ ...withPath, workload_size_limit: size - 1 }).attest(peerOf(pid), signal);
    await expect(tooLarge).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringContaining('workload_size_limit'),
    });
  });

  it('tells no path for a deleted or replaced executable, but its digest', async () => {
    const path = copyOf('gone');
    const { pid } = await running(path, ['-e', READY]);
    const digest = sha256(path);
    unlinkSync(path);
    const paths = async () => (await values(pid, withPath)).filter((value) => /^(path|sha256):/.test(value));
    expect(await paths()).toEqual([`sha256:${digest}`]);
    copyFileSync('/bin/sh', path);
    expect(await paths()).toEqual([`sha256:${digest}`]);
    // A file that really has the name the kernel gives to a deleted one.
    renameSync(path, `${path} (deleted)`);
    expect(await paths()).toEqual([`sha256:${digest}`]);
  });

  const canUnshare = isRoot && spawnSync('unshare', ['--mount', 'true']).status === 0;
  it.skipIf(!canUnshare)('tells no path that only a private mount namespace shows', async () => {
    const trusted = copyOf('trusted');
    const forged = copyOf('forged');
    writeFileSync(forged, 'forged', { flag: 'a' });
    const script = `mount --bind ${forged} ${trusted} && exec ${trusted} -e '${READY}'`;
    const { pid } = await running('unshare', ['--mount', 'sh', '-c', script]);
    // The kernel's own answer is the lie.
    expect(readlinkSync(`/proc/${pid}/exe`)).toBe(trusted);
    const found = await values(pid, withPath);
    expect(found.filter((value) => /^(path|sha256):/.test(value))).toEqual([`sha256:${sha256(forged)}`]);
  });

  it('refuses a process that executes another file while it is looked at', async () => {
    const fifo = join(directory, 'fifo');
    expect(spawnSync('mkfifo', [fifo]).status).toBe(0);
    const script = `echo ready; read line; exec ${process.execPath} -e '${READY}'`;
    const child = await running('/bin/sh', ['-c', script]);
    // Reading the names waits for a writer, so the attestation stands still in its middle.
    const attesting = attestor({ ...withPath, passwdFile: fifo }).attest(peerOf(child.pid), signal);
    attesting.catch(() => undefined);
    const writer = await writerOf(fifo);
    child.stdin?.write('go\n');
    while (readlinkSync(`/proc/${child.pid}/exe`) !== realpathSync(process.execPath)) await delay(5);
    closeSync(writer);
    await expect(attesting).rejects.toMatchObject({ code: 'internal', message: expect.stringContaining('changed') });
  });

  it('gives up at once when its time is over', async () => {
    const fifo = join(directory, 'never');
    expect(spawnSync('mkfifo', [fifo]).status).toBe(0);
    const controller = new AbortController();
    const attesting = attestor({ passwdFile: fifo }).attest(peerOf(process.pid), controller.signal);
    attesting.catch(() => undefined);
    const writer = await writerOf(fifo);
    controller.abort(new Error('deadline'));
    await expect(attesting).rejects.toThrow('deadline');
    closeSync(writer);
  });

  it('leaves no file open', async () => {
    const { pid } = await node();
    const count = () => readdirSync('/proc/self/fd').length;
    await values(pid, withPath);
    const before = count();
    for (let n = 0; n < 20; n++) await values(pid, withPath);
    await attestor({ ...withPath, workload_size_limit: 1 })
      .attest(peerOf(pid), signal)
      .catch(() => undefined);
    expect(count()).toBe(before);
  });
});

describe('unix configuration', () => {
  it('looks at no executable unless told to', () => {
    expect(unixAttestor.schema.parse({})).toEqual({ discover_workload_path: false, workload_size_limit: 0 });
  });

  it.each([{ discover_workload_path: 'yes' }, { workload_size_limit: 1.5 }, { path: true }])('refuses %j', (config) => {
    expect(unixAttestor.schema.safeParse(config).success).toBe(false);
  });
});

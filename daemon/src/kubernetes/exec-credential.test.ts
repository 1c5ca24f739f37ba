import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FakeClock, type TempDir, tempDir } from '@steeple/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kubeconfigAccess } from './kubeconfig.ts';

let dir: TempDir;
beforeAll(async () => {
  dir = await tempDir();
});
afterAll(() => dir[Symbol.asyncDispose]());

/** A kubeconfig whose user is told by a shell script beside it. */
const withProgram = async (script: string, more = ''): Promise<string> => {
  await writeFile(join(dir.path, 'tell'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const exec = `{apiVersion: client.authentication.k8s.io/v1, command: ./tell, args: [one], env: [{name: WHO, value: me}]${more}}`;
  const path = join(dir.path, 'config');
  await writeFile(
    path,
    `{current-context: c, contexts: [{name: c, context: {cluster: c, user: u}}], users: [{name: u, user: {exec: ${exec}}}],
      clusters: [{name: c, cluster: {server: "https://api.example"}}]}`,
  );
  return path;
};
const credential = (status: object) => JSON.stringify({ kind: 'ExecCredential', status });
const saying = (text: string) => `echo x >>"$(dirname "$0")/runs"\ncat <<'E'\n${text}\nE`;
const runs = async () => (await readFile(join(dir.path, 'runs'), 'utf8').catch(() => '')).split('\n').length - 1;

describe('a kubeconfig with a program', () => {
  it('is told a token, once until shortly before its end', async () => {
    const clock = new FakeClock();
    const expirationTimestamp = new Date((clock.now() + 600) * 1000).toISOString();
    const path = await withProgram(saying(credential({ token: 'told', expirationTimestamp })));
    const access = kubeconfigAccess(path, { now: clock.now });
    const both = await Promise.all([access(), access()]);
    expect(both.map(({ token }) => token)).toEqual(['told', 'told']);
    await clock.advance(569);
    await access();
    expect(await runs()).toBe(1);
    await clock.advance(1);
    await access();
    expect(await runs()).toBe(2);
  });

  it('is told a certificate, and tells the program what it was asked', async () => {
    const status = '{\\"clientCertificateData\\":\\"$1 $WHO\\",\\"clientKeyData\\":\\"KEY\\"}';
    const script = `case "$KUBERNETES_EXEC_INFO" in *'"interactive":false'*) ;; *) exit 3;; esac
      echo "{\\"kind\\":\\"ExecCredential\\",\\"status\\":${status}}"`;
    const access = kubeconfigAccess(await withProgram(script));
    expect(await access()).toMatchObject({ token: undefined, identity: { certificate: 'one me', key: 'KEY' } });
  });

  it.each([
    ['fails', 'echo secret; exit 4', 'failed (4)'],
    ['says nothing', 'true', 'not JSON'],
    ['says no credential', saying('{"kind":"Other","secret":"secret"}'), 'no usable kind'],
    ['has nothing to tell', saying(credential({})), 'neither a token nor a certificate'],
    [
      'tells a strange time',
      saying(credential({ token: 'secret', expirationTimestamp: 'soon' })),
      'expirationTimestamp',
    ],
    ['tells half a pair', saying(credential({ clientCertificateData: 'secret' })), 'belong together'],
    ['says too much', 'head -c 2000000 /dev/zero', 'failed'],
  ])('is refused when that %s, and what it said is in no message', async (_name, script, message) => {
    const access = kubeconfigAccess(await withProgram(script));
    const failure = await access().then(
      () => new Error('accepted'),
      (error: Error) => error,
    );
    expect(failure).toMatchObject({ code: 'access', message: expect.stringContaining(message) });
    expect(failure.message).not.toContain('secret');
  });

  it.each([', interactiveMode: Always', ', provideClusterInfo: true'])('is refused with %s', async (more) => {
    await expect(kubeconfigAccess(await withProgram('true', more))()).rejects.toThrow('user.exec.');
  });
});

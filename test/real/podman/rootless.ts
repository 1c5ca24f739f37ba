// Podman of a user, as systemd's login would have it. This machine's groups for users may not be touched, if it has any.
import { join } from 'node:path';
import { Skip } from '../../interop/case.ts';
import { exists } from '../../interop/peers/cache.ts';
import { noOtherUser } from '../../stack/another-user.ts';
import { idOf, pidOf } from '../containers/container-engine.ts';
import { moveTo, removeGroup } from '../containers/groups.ts';
import { mountsFor, workloadCommand } from '../containers/image.ts';
import { openPlace, type Place } from '../containers/place.ts';
import { PodmanEngine } from './podman-engine.ts';

/** Nobody's number. */
export const USER = 61_234;
const LOGIN = `/user.slice/user-${USER}.slice`;

export class Rootless implements AsyncDisposable {
  readonly #folder: string;
  #place: Place | undefined;
  #madeSlices = false;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The engine of the user, and agents that believe it. @throws {Skip} */
  async place(): Promise<Place> {
    if (this.#place !== undefined) return this.#place;
    if (noOtherUser !== undefined) throw new Skip(noOtherUser);
    for (const mount of ['', 'systemd', 'unified']) {
      const slices = join('/sys/fs/cgroup', mount, 'user.slice');
      if (await exists(slices)) throw new Skip("the machine has control groups for users, which are not the tests'");
    }
    const engine = await PodmanEngine.start(join(this.#folder, String(USER)), USER);
    try {
      const template = `unix://${join(this.#folder, '%d', 'podman.sock')}`;
      this.#place = await openPlace(engine, { podman_socket_path_template: template });
      return this.#place;
    } catch (error) {
      await engine[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * Starts a container that asks an agent again and again, and puts it where systemd would: control groups v1 have nothing
   * for users. Returns its pid.
   */
  async run(name: string, socket: string, ...flags: readonly string[]): Promise<number> {
    const { engine } = await this.place();
    const all = ['--detach', '--name', name, '--network', 'none', ...mountsFor(socket), ...flags];
    await engine.command('run', ...all, engine.image, ...workloadCommand('again'));
    const pid = await pidOf(engine, name);
    this.#madeSlices = true;
    const scope = `libpod-${await idOf(engine, name)}.scope`;
    await moveTo(`${LOGIN}/user@${USER}.service/user.slice/${scope}/container`, pid);
    return pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#place?.site.close(false);
    await this.#place?.engine[Symbol.asyncDispose]();
    if (this.#madeSlices) await removeGroup('/user.slice');
  }
}

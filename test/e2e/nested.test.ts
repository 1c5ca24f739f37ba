import { verifyJwtSvid, verifyX509Svid } from '@steeple/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from './home.ts';
import { Level, TRUST_DOMAIN } from './nested.ts';

let levels: Level[] = [];
let [root, middle, leaf]: Level[] = [];

/** Looks again and again whether every workload is believed at every level, with the certificate and with a token. */
class Vigil implements AsyncDisposable {
  readonly failures: string[] = [];
  rounds = 0;
  #stopped = false;
  readonly #running: Promise<void>;

  constructor() {
    this.#running = this.#run();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      for (const from of levels) {
        const token = await from.jwt.fetch('a');
        for (const to of levels) {
          const now = Date.now() / 1000;
          try {
            verifyX509Svid(from.x509.x509Svid().chain, to.x509, { now });
            verifyJwtSvid(token.token, to.jwtBundles, ['a'], { now });
          } catch (error) {
            this.failures.push(`${from.name} at ${to.name}: ${String(error)}`);
          }
        }
      }
      this.rounds++;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }
}

const all = async (condition: (level: Level) => Promise<boolean>): Promise<boolean> =>
  (await Promise.all(levels.map(condition))).every(Boolean);

/** Prepares at one level, waits until every level knows, activates. Returns the old and the new id. */
const rotate = async (level: Level, kind: 'x509' | 'jwt'): Promise<[string, string]> => {
  const { authority } = level.admin;
  if (kind === 'x509') {
    const old = (await authority.getX509AuthorityState({})).active?.authorityId ?? '';
    const id = (await authority.prepareX509Authority({})).preparedAuthority?.authorityId ?? '';
    if (level === root) await until(() => all(async (one) => (await one.roots()).includes(id)));
    await authority.activateX509Authority({ authorityId: id });
    return [old, id];
  }
  const old = (await authority.getJWTAuthorityState({})).active?.authorityId ?? '';
  const id = (await authority.prepareJWTAuthority({})).preparedAuthority?.authorityId ?? '';
  await until(() => all(async (one) => (await one.keyIds()).includes(id)));
  await authority.activateJWTAuthority({ authorityId: id });
  return [old, id];
};

beforeAll(async () => {
  for (const name of ['root', 'middle', 'leaf']) levels.push(await Level.open(name, levels.at(-1)));
  [root, middle, leaf] = levels;
}, 60_000);
afterAll(async () => {
  for (const level of levels.toReversed()) await level[Symbol.asyncDispose]();
  levels = [];
});
const at = (level: Level | undefined): Level => level as Level;

describe('three servers below one another', () => {
  it('are one trust domain: one root, chains that grow, and every key known everywhere', async () => {
    const [first] = await at(root).roots();
    for (const level of levels) expect(await level.roots()).toEqual([first]);
    expect(levels.map(({ x509 }) => x509.x509Svid().chain.length)).toEqual([1, 2, 3]);
    await until(() => all(async (level) => (await level.keyIds()).length === 3));
    const subjects = at(leaf)
      .x509.x509Svid()
      .chain.slice(1)
      .map(({ subjectText }) => subjectText);
    expect(subjects).toEqual([expect.stringContaining('OU=DOWNSTREAM-1'), expect.stringContaining('OU=DOWNSTREAM-1')]);
    const bundle = await at(leaf).admin.bundle.getBundle({});
    expect([bundle.trustDomain, bundle.witAuthorities.length]).toEqual([TRUST_DOMAIN, 3]);
  });

  it('go on through rotations at every level, and everyone believes everyone all the time', async () => {
    await using vigil = new Vigil();
    for (const level of levels) {
      await rotate(level, 'x509');
      await rotate(level, 'jwt');
    }
    expect(vigil.failures).toEqual([]);
    expect(vigil.rounds).toBeGreaterThan(3);
  });

  it('leave a compromised root at every level before anyone loses trust in it', async () => {
    await using vigil = new Vigil();
    const [old] = await rotate(at(root), 'x509');
    await at(root).admin.authority.taintX509Authority({ authorityId: old });
    await until(() => all(async (level) => (await level.roots()).includes(`${old}!`)));
    // Every workload has a new SVID under the new root, at once and without waiting for half of its life.
    await until(() => all(async ({ x509 }) => x509.x509Svid().chain.at(-1)?.authorityKeyId !== old));
    await at(root).admin.authority.revokeX509Authority({ authorityId: old });
    await until(() => all(async (level) => !(await level.roots()).some((id) => id.startsWith(old))));
    expect(vigil.failures).toEqual([]);
  });

  it('forget a key that was published from below once it is revoked at the root', async () => {
    const [old] = await rotate(at(leaf), 'jwt');
    const { authority } = at(root).admin;
    await authority.taintJWTAuthority({ authorityId: old });
    await until(() => all(async (level) => (await level.keyIds()).includes(`${old}!`)));
    await authority.revokeJWTAuthority({ authorityId: old });
    await until(() => all(async (level) => !(await level.keyIds()).some((id) => id.startsWith(old))));
  });

  it('leave a key that is found compromised at the root while it signs', async () => {
    const active = async () => (await at(leaf).admin.authority.getJWTAuthorityState({})).active?.authorityId ?? '';
    const bad = await active();
    const { authority } = at(root).admin;
    await authority.taintJWTAuthority({ authorityId: bad });
    await until(async () => (await active()) !== bad);
    const good = await active();
    await until(() => all(async (level) => (await level.keyIds()).includes(good)));
    await authority.revokeJWTAuthority({ authorityId: bad });
    await until(() => all(async (level) => !(await level.keyIds()).some((id) => id.startsWith(bad))));
  });

  it('go on while the server in the middle is away, and follow again when it is back', async () => {
    await using vigil = new Vigil();
    await at(middle).stopServer();
    const { rounds } = vigil;
    await until(() => vigil.rounds > rounds + 3);
    await at(middle).startServer();
    const { preparedAuthority } = await at(root).admin.authority.prepareX509Authority({});
    await until(() => all(async (level) => (await level.roots()).includes(preparedAuthority?.authorityId ?? '')));
    expect(vigil.failures).toEqual([]);
  });
});

// Taking over from another server: a diff, the copy, an interruption, and what happens the second time.
import { type CliContext, main } from '@steeple/cli';
import { describe, expect, it } from 'vitest';
import { Home, until } from './home.ts';

interface Told {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function migrate(from: Home, to: Home, flags: readonly string[], signal?: AbortSignal): Promise<Told> {
  let [out, err] = ['', ''];
  const context: CliContext = {
    env: {},
    signal: signal ?? new AbortController().signal,
    colour: false,
    uid: 0,
    userName: 'someone',
    out: (text) => {
      out += `${text}\n`;
    },
    err: (text) => {
      err += `${text}\n`;
    },
    now: () => Date.now() / 1000,
  };
  const sockets = ['--from', from.server.addresses.socketPath, '--to', to.server.addresses.socketPath];
  const code = await main(['migrate', 'from-spire', ...sockets, ...flags], context);
  return { code, out, err };
}

const count = async (home: Home): Promise<number> => (await home.admin.entry.countEntries({})).count;

describe('steeple migrate from-spire', () => {
  it('shows a diff, copies, and has nothing to do the second time', async () => {
    await using from = await Home.open();
    await using to = await Home.open();
    await from.admin.bundle.batchSetFederatedBundle({ bundle: [{ trustDomain: 'other.test' }] });
    await from.admin.federation.batchCreateFederationRelationship({
      federationRelationships: [
        {
          trustDomain: 'other.test',
          bundleEndpointUrl: 'https://127.0.0.1:1/',
          bundleEndpointProfile: { case: 'httpsWeb', value: {} },
        },
      ],
    });
    await from.addEntry({ path: '/web', id: 'web', hint: 'mine', more: { federatesWith: ['other.test'] } });

    const dry = await migrate(from, to, ['--dry-run']);
    expect(dry.out).toContain('+ spiffe://home.test/web (web)');
    expect(dry.out).toContain('3 to create');
    expect([dry.code, await count(to)]).toEqual([0, 0]);

    const refused = await migrate(from, to, []);
    expect([refused.code, await count(to)]).toEqual([1, 0]);
    expect(refused.err).toContain('--yes');

    const done = await migrate(from, to, ['--yes']);
    expect(done.code).toBe(0);
    expect(done.err).toMatch(/1 entries have an agent as parent that joined with a token/);
    const copy = await to.admin.entry.getEntry({ id: 'web' });
    expect(copy).toMatchObject({ hint: 'mine', federatesWith: ['other.test'], spiffeId: { path: '/web' } });
    const { federationRelationships } = await to.admin.federation.listFederationRelationships({});
    expect(federationRelationships.map(({ trustDomain }) => trustDomain)).toEqual(['other.test']);

    const again = await migrate(from, to, ['--yes', '-o', 'json']);
    expect(again.code).toBe(0);
    expect(JSON.parse(again.out)).toMatchObject({ entries: [{ action: 'keep', entry_id: 'web' }] });
    expect((await to.admin.entry.getEntry({ id: 'web' })).revisionNumber).toBe(0n);

    await from.admin.entry.batchUpdateEntry({ entries: [{ id: 'web', hint: 'later' }], inputMask: { hint: true } });
    expect((await migrate(from, to, ['--yes'])).out).toContain('~ spiffe://home.test/web (web): hint: mine → later');
    expect((await to.admin.entry.getEntry({ id: 'web' })).hint).toBe('later');
  });

  it('goes on where it was interrupted, and loses nothing', async () => {
    await using from = await Home.open();
    await using to = await Home.open();
    const entries = Array.from({ length: 400 }, (_, n) => ({
      id: `e${n}`,
      spiffeId: { trustDomain: 'home.test', path: `/e${n}` },
      parentId: { trustDomain: 'home.test', path: '/parent' },
      selectors: [{ type: 'unix', value: `uid:${n}` }],
    }));
    await from.admin.entry.batchCreateEntry({ entries });

    const interrupt = new AbortController();
    const first = migrate(from, to, ['--yes'], interrupt.signal);
    await until(async () => (await count(to)) > 0);
    interrupt.abort();
    expect(await first).toMatchObject({ code: 1, err: expect.stringContaining('interrupted') });

    expect((await migrate(from, to, ['--yes'])).code).toBe(0);
    expect(await count(to)).toBe(400);
    expect((await migrate(from, to, ['--dry-run'])).out).toContain('0 to create, 0 to update, 400 to leave');
  });

  it('lets the new server trust what the old one signed', async () => {
    await using from = await Home.open();
    await using to = await Home.open();
    const own = await from.admin.bundle.getBundle({});
    const has = async (): Promise<boolean> => {
      const { x509Authorities } = await to.admin.bundle.getBundle({});
      return x509Authorities.some(({ asn1 }) => Buffer.from(asn1).equals(own.x509Authorities[0]?.asn1 ?? Buffer.of()));
    };
    await migrate(from, to, ['--yes']);
    expect(await has()).toBe(false);
    expect((await migrate(from, to, ['--yes', '--trust-issued'])).code).toBe(0);
    expect(await has()).toBe(true);
  });

  it('refuses servers of different trust domains, and sockets that nobody answers', async () => {
    await using from = await Home.open();
    await using to = await Home.open({ trustDomain: 'elsewhere.test' });
    const told = await migrate(from, to, ['--yes']);
    expect(told.code).toBe(1);
    expect(told.err).toContain('the servers are of different trust domains: home.test and elsewhere.test');
    const silent = await migrate(from, from, ['--yes', '--to', '/none']);
    expect(silent.err).toContain('no socket at /none');
  });
});

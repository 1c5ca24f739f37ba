// `steeple apply` against a real server in this process.
import { formatBundleDocument } from '@steeple/spiffe';
import { TestTrustDomain } from '@steeple/test-kit';
import { describe, expect, it } from 'vitest';
import { domain, entries, entry, fetchedCount, file, now, paths, relationships, steeple } from './apply.fixture.ts';

describe('apply', () => {
  it('makes entries as the files say, and nothing the second time', async () => {
    const path = await file(entry('a', { x509SVIDTTL: '10m', hint: 'h' }), '# nothing', entry('b'));
    expect(await steeple('apply', '-f', path)).toBe(0);
    expect(now.out.join('\n')).toContain('+ spiffe://example.org/a (a)');
    expect(await entries()).toMatchObject([
      { id: 'apply-default.a', x509_svid_ttl: 600 },
      { id: 'apply-default.b', x509_svid_ttl: 0 },
    ]);
    expect(await steeple('apply', '-f', path)).toBe(0);
    expect(now.out.join('\n')).toContain('0 to create, 0 to update, 2 to leave');
    expect((await entries()).map(({ revision_number: revision }) => revision)).toEqual(['0', '0']);
  });

  it('changes an entry under its ID, whichever field it is', async () => {
    await steeple('apply', '-f', await file(entry('a')));
    const changed = entry('a', { spiffeID: 'spiffe://example.org/other', dnsNames: ['a.example.org'] });
    expect(await steeple('apply', '-f', await file(changed))).toBe(0);
    expect(now.out.join('\n')).toContain('SPIFFE ID: spiffe://example.org/a → spiffe://example.org/other');
    expect(await entries()).toMatchObject([
      { id: 'apply-default.a', spiffe_id: { path: '/other' }, revision_number: '1' },
    ]);
  });

  it('only shows with --dry-run', async () => {
    expect(await steeple('apply', '--dry-run', '-f', await file(entry('a'), domain('other.test')))).toBe(0);
    expect(now.out.join('\n')).toContain('2 to create');
    expect(await paths()).toEqual([]);
  });

  it('prunes what the set made, and nothing else', async () => {
    const byHand = ['--spiffe-id', 'spiffe://example.org/hand', '--parent-id', 'spiffe://example.org/node'];
    await steeple('entry', 'create', ...byHand, '--selector', 'unix:uid:1');
    await steeple(
      'federation',
      'create',
      'hand.test',
      '--endpoint-url',
      'https://hand.test/',
      '--profile',
      'https_web',
    );
    await steeple('apply', '--set', 'others', '-f', await file(entry('c')));
    await steeple('apply', '-f', await file(entry('a'), entry('b'), domain('one.test'), domain('two.test')));
    expect(await relationships()).toEqual(['hand.test', 'one.test', 'two.test']);

    const less = await file(entry('a'), domain('two.test'));
    expect(await steeple('apply', '-f', less)).toBe(0);
    expect(now.out.join('\n')).toContain('2 that an earlier apply made are in no file any more; --prune removes them');
    expect(await paths()).toContain('/b');

    expect(await steeple('apply', '--prune', '-f', less)).toBe(0);
    expect(await paths()).toEqual(['/a', '/c', '/hand', '/steeple/owner/apply-default']);
    expect(await relationships()).toEqual(['hand.test', 'two.test']);

    expect(await steeple('apply', '--prune', '-f', await file('# none'))).toBe(0);
    expect(await paths()).toEqual(['/c', '/hand']);
    expect(await relationships()).toEqual(['hand.test']);
  });

  it('keeps the ID of an entry whose object got another name', async () => {
    const [spec] = [{ spiffeID: 'spiffe://example.org/x', selectors: ['unix:uid:1'] }];
    await steeple('apply', '-f', await file(entry('old', spec)));
    expect(await steeple('apply', '--prune', '-f', await file(entry('new', spec), entry('old')))).toBe(0);
    const found = await entries();
    expect(found.map(({ id, spiffe_id: { path } }) => [id, path])).toEqual([
      ['apply-default.old', '/x'],
      ['apply-default.old-2', '/old'],
    ]);
    expect(await steeple('apply', '-f', await file(entry('new', spec), entry('old')))).toBe(0);
    expect(now.out.join('\n')).toContain('2 to leave');
  });

  it('sets up federation with its bundle, so that entries can name it', async () => {
    const other = await TestTrustDomain.create('other.test');
    const trustDomainBundle = Buffer.from(formatBundleDocument(other.bundle)).toString();
    const objects = [entry('a', { federatesWith: ['other.test'] }), domain('other.test', { trustDomainBundle })];
    expect(await steeple('apply', '-f', await file(...objects))).toBe(0);
    expect(await paths()).toEqual(['/a', '/steeple/owner/apply-default']);
    expect(await steeple('bundle', 'list', 'other.test')).toBe(0);
    const moved = domain('other.test', { trustDomainBundle, bundleEndpointURL: 'https://moved.test/' });
    expect(await steeple('apply', '-f', await file(moved))).toBe(0);
    expect(now.out.join('\n')).toContain('https://other.test/bundle (https_web) → https://moved.test/ (https_web)');
  });

  it('says what to do about a bundle that is not there, and does the rest', async () => {
    const path = await file(entry('a', { federatesWith: ['other.test'] }), entry('b'), domain('other.test'));
    expect(await steeple('apply', '-f', path, '-o', 'json')).toBe(1);
    expect(JSON.parse(now.out.join('\n'))).toMatchObject({
      relationships: [{ name: 'other.test', action: 'create' }],
      entries: [
        { entry_id: 'apply-default.a', action: 'create' },
        { entry_id: 'apply-default.b', action: 'create' },
      ],
      stale: { entries: [], relationships: [] },
    });
    expect(now.err.join('\n')).toContain('put it into trustDomainBundle, or apply again');
    expect(await paths()).toEqual(['/b', '/steeple/owner/apply-default']);
  });

  it('leaves alone what others made', async () => {
    await steeple(
      'federation',
      'create',
      'hand.test',
      '--endpoint-url',
      'https://hand.test/',
      '--profile',
      'https_web',
    );
    const same = ['--spiffe-id', 'spiffe://example.org/a', '--parent-id', 'spiffe://example.org/node'];
    await steeple('entry', 'create', '--entry-id', 'mine', ...same, '--selector', 'unix:user:a', '--hint', 'x');
    expect(await steeple('apply', '-f', await file(entry('a'), entry('b'), domain('hand.test')))).toBe(1);
    expect(now.out.join('\n')).toContain('has the SPIFFE ID, parent and selectors of entry mine, which others made');
    expect(now.out.join('\n')).toContain('others made this relationship, and it differs');
    expect(await paths()).toEqual(['/a']);
    expect(await steeple('apply', '-f', await file(entry('a', { hint: 'x' })))).toBe(0);
    expect(await steeple('apply', '--prune', '-f', await file('# none'))).toBe(0);
    expect(await paths()).toEqual(['/a']);
  });

  it('goes on where it was interrupted', async () => {
    const many = Array.from({ length: 120 }, (_, at) => entry(`e${at}`));
    const path = await file(...many, domain('other.test'));
    const stop = new AbortController();
    now.signal = stop.signal;
    const running = steeple('apply', '-f', path);
    while ((await fetchedCount()) === 0) await new Promise((done) => setTimeout(done, 2));
    stop.abort();
    await running;
    now.signal = new AbortController().signal;
    expect(await steeple('apply', '-f', path)).toBe(0);
    expect(await paths()).toHaveLength(121);
    expect(await steeple('apply', '--prune', '-f', await file('# none'))).toBe(0);
    expect([await paths(), await relationships()]).toEqual([[], []]);
  });
});

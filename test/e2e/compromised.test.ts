// An authority is compromised: the operator has one command, the workloads notice nothing.
import { verifyX509Svid, X509Source } from '@steeple/client';
import { parseCertificate } from '@steeple/spiffe';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { main } from '../../cli/src/main.ts';
import type { CliContext } from '../../cli/src/verb.ts';
import { Home, until } from './home.ts';

let home: Home;
let source: X509Source;
let lines: string[];
let stop: AbortController;

beforeEach(async () => {
  home = await Home.open({ server: { experimental: { feature_flags: ['wit-svid'] } } });
  await home.addEntry({ path: '/w' });
  source = await X509Source.open({ address: `unix:${home.socket}` });
  [lines, stop] = [[], new AbortController()];
});
afterEach(async () => {
  await source.close();
  await home[Symbol.asyncDispose]();
});

/** Runs the command line in this process; `onLine` sees what it says. */
const steeple = (args: readonly string[], onLine: (line: string) => void = () => {}): Promise<number> => {
  const say = (text: string) => {
    lines.push(text);
    onLine(text);
  };
  const context: CliContext = {
    env: { STEEPLE_SERVER_SOCKET: home.server.addresses.socketPath },
    signal: stop.signal,
    colour: false,
    uid: 0,
    userName: 'operator',
    out: say,
    err: say,
    now: () => Date.now() / 1000,
  };
  return main(args, context);
};
const activeId = async () => (await home.admin.authority.getX509AuthorityState({})).active?.authorityId ?? '';
const roots = async () =>
  (await home.admin.bundle.getBundle({})).x509Authorities.map(({ asn1 }) => parseCertificate(asn1).subjectKeyId);
const isBelieved = () => verifyX509Svid(source.x509Svid().chain, source, { now: Date.now() / 1000 });

describe('steeple authority rotate --compromised', () => {
  it('replaces everything and revokes, while the workload is believed all the time', async () => {
    const bad = await activeId();
    expect(await steeple(['authority', 'rotate', 'x509', '--compromised'])).toBe(0);
    expect(lines.join('\n')).toMatch(/1\/5 prepare[^]*5\/5 revoke[^]*is revoked/);
    expect(await roots()).toEqual([await activeId()]);
    expect(await activeId()).not.toBe(bad);
    await until(() => source.bundleFor(home.trustDomain)?.x509Authorities.length === 1);
    expect(source.x509Svid().leaf.authorityKeyId).not.toBe(bad);
    isBelieved();
    // The agent itself is believed too: it gets a further SVID.
    await home.addEntry({ path: '/later' });
    await until(() => source.x509Svids().length === 2);
  });

  it.each(['jwt', 'wit'] as const)('goes the same way for %s', async (kind) => {
    expect(await steeple(['authority', 'rotate', kind, '--compromised', '-o', 'json'])).toBe(0);
    const { compromised, replacement } = JSON.parse(lines.at(-1) ?? '') as Record<string, string>;
    const { jwtAuthorities, witAuthorities } = await home.admin.bundle.getBundle({});
    const ids = (kind === 'jwt' ? jwtAuthorities : witAuthorities).map(({ keyId }) => keyId);
    expect(ids).toEqual([replacement]);
    expect(ids).not.toContain(compromised);
  });

  it.each(['1/5', '2/5', '3/5', '4/5'])('can be stopped at step %s, and says how to go on', async (step) => {
    const bad = await activeId();
    const code = await steeple(['authority', 'rotate', 'x509', '--compromised'], (line) => {
      if (line.startsWith(step)) stop.abort();
    });
    expect(code).toBe(1);
    expect(lines.join('\n')).toContain(`steeple authority rotate x509 --compromised ${bad}`);
    stop = new AbortController();
    expect(await steeple(['authority', 'rotate', 'x509', '--compromised', bad])).toBe(0);
    expect(await roots()).not.toContain(bad);
    isBelieved();
    // Once more: nothing is left to do.
    expect(await steeple(['authority', 'rotate', 'x509', '--compromised', bad])).toBe(0);
  });

  it('changes nothing in a dry run', async () => {
    const before = [await activeId(), await roots()];
    expect(await steeple(['authority', 'rotate', 'x509', '--compromised', '--dry-run'])).toBe(0);
    expect(lines.join('\n')).toContain('agents and servers below: 1, of which 0 not heard of lately');
    expect([await activeId(), await roots()]).toEqual(before);
  });

  it('does not revoke over the head of an agent that does not answer, unless forced', async () => {
    const bad = await activeId();
    expect(await steeple(['authority', 'rotate', 'x509'])).toBe(0);
    await home.agent.stop();
    expect(await steeple(['authority', 'rotate', 'x509', '--compromised'])).toBe(1);
    expect(lines.join('\n')).toContain('say which is compromised');
    expect(await steeple(['authority', 'rotate', 'x509', '--compromised', bad, '--wait', '1s'])).toBe(1);
    expect(lines.join('\n')).toContain(home.agentId.path);
    expect(await roots()).toContain(bad);
    expect(await steeple(['authority', 'rotate', 'x509', '--compromised', bad, '--wait', '0s', '--force'])).toBe(0);
    expect(await roots()).not.toContain(bad);
  });
});

describe('steeple authority', () => {
  it('shows, prepares, activates, taints and revokes', async () => {
    const bad = await activeId();
    for (const args of [
      ['prepare', 'x509'],
      ['activate', 'x509'],
      ['taint', 'x509', bad],
    ]) {
      expect(await steeple(['authority', ...args])).toBe(0);
    }
    lines = [];
    expect(await steeple(['authority', 'show', 'x509'])).toBe(0);
    expect(lines.join('\n')).toMatch(new RegExp(`x509 +old +${bad} +in .* tainted`));
    expect(await steeple(['authority', 'revoke', 'x509', bad])).toBe(0);
    expect(await steeple(['authority', 'revoke', 'x509', bad])).toBe(1);
    expect(lines.at(-1)).toContain('no root CA found with provided subject key ID');
    expect(await steeple(['authority', 'show', 'rsa'])).toBe(1);
    expect(await steeple(['upstream', 'taint', 'ff'])).toBe(1);
    expect(lines.at(-1)).toContain('upstream authority is not configured');
  });
});

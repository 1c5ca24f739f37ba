import { type Case, ensure } from '../../interop/case.ts';
import { outcome } from '../../interop/spire/outcome.ts';
import { attest, remoteApi } from '../../interop/spire/remote.ts';
import { HOST, sshTrusts, withSshd } from './daemon.ts';
import { type HostFiles, keygen } from './host-keys.ts';
import type { Place } from './place.ts';
import { sshProof } from './proof.ts';

interface Verdict {
  readonly name: string;
  readonly make: (place: Place) => Promise<HostFiles>;
  /** What our server answers. */
  readonly ours: RegExp;
}

const certified =
  (...how: readonly string[]) =>
  async ({ keys, authority }: Place): Promise<HostFiles> =>
    keys.certify(authority, await keys.newKey('-t', 'ed25519'), ...how);
const HOST_WORDS = ['-h', '-n', HOST];
const refused = (reason: string) =>
  new RegExp(`^PermissionDenied: sshpop: the certificate is not accepted: .*${reason}`);

const VERDICTS: readonly Verdict[] = [
  { name: 'a certificate for ever', make: certified(...HOST_WORDS), ours: /^OK$/ },
  { name: 'a certificate of several names', make: certified('-h', '-n', `${HOST},node-1`, '-z', '9'), ours: /^OK$/ },
  {
    name: 'a certificate with an extension',
    make: certified(...HOST_WORDS, '-O', 'extension:x@example.org=y'),
    ours: /^OK$/,
  },
  { name: 'an expired certificate', make: certified(...HOST_WORDS, '-V', '-2h:-1h'), ours: refused('expired') },
  {
    name: 'a certificate of tomorrow',
    make: certified(...HOST_WORDS, '-V', '+1d:+2d'),
    ours: refused('not yet valid'),
  },
  { name: "a user's certificate", make: certified('-n', HOST), ours: refused('no certificate of a host') },
  {
    name: "another host's certificate",
    make: certified('-h', '-n', 'node-1.elsewhere.test'),
    ours: refused('not in the domain'),
  },
  {
    name: 'a certificate with an unknown critical option',
    make: certified(...HOST_WORDS, '-O', 'critical:x@example.org=y'),
    ours: refused('unknown critical option'),
  },
  {
    name: 'a certificate of another authority',
    make: async ({ keys, other }) => keys.certify(other, await keys.newKey('-t', 'ed25519'), ...HOST_WORDS),
    ours: refused('not configured'),
  },
  {
    name: 'a certificate whose number is revoked',
    make: async (place) => {
      const host = await certified(...HOST_WORDS, '-z', '77')(place);
      await keygen('-k', '-u', '-f', place.revoked, host.certificate);
      return host;
    },
    ours: refused('revoked'),
  },
];

/** What ssh thinks of a host with this certificate, and what our server thinks of an agent with it. */
export function verdictCases(place: Place): readonly Case[] {
  const { folder, site, server, authority, revoked } = place;
  const told = async (host: HostFiles) => outcome(attest(await remoteApi(site, server), await sshProof(host)));
  const same = VERDICTS.map(({ name, make, ours }) => ({
    name: `ssh and our server agree on ${name}`,
    run: async () => {
      const host = await make(place);
      const found = await told(host);
      ensure(ours.test(found), `${ours}, not ${found}`);
      const trusts = await withSshd(folder, host, (port) => sshTrusts(folder, authority.pub, port, revoked));
      ensure(trusts === (found === 'OK'), `ssh ${trusts ? 'believes' : 'refuses'} it, our server says ${found}`);
    },
  }));
  const nameless = {
    name: 'the server refuses a certificate without a name, which ssh takes for every host',
    run: async () => {
      const host = await certified('-h')(place);
      const found = await told(host);
      ensure(refused('names no principal').test(found), `a refusal, not ${found}`);
      const trusts = await withSshd(folder, host, (port) => sshTrusts(folder, authority.pub, port, revoked));
      ensure(trusts, 'ssh believes it');
    },
  };
  const stolen = {
    name: "the server refuses another host's certificate without its key",
    run: async () => {
      const host = await certified(...HOST_WORDS)(place);
      const thief = await place.keys.newKey('-t', 'ed25519');
      const found = await told({ ...host, key: thief.key });
      ensure(/^PermissionDenied: .*not answered with the key/.test(found), `a refusal, not ${found}`);
    },
  };
  return [...same, nameless, stolen];
}

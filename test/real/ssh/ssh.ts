import { join } from 'node:path';
import { Site } from '../../interop/spire/site.ts';
import { needPrograms } from '../debian-packages.ts';
import type { OpenPart, RealPart } from '../real-part.ts';
import { agentCases } from './agent-cases.ts';
import { privilegeSeparation } from './daemon.ts';
import { keygen, SshKeys } from './host-keys.ts';
import { verdictCases } from './verdict-cases.ts';

/** OpenSSH: keys and certificates of ssh-keygen, served by sshd, judged by ssh. */
export const ssh: RealPart = {
  name: 'ssh',
  what: "OpenSSH's ssh-keygen, sshd and ssh: agents attest with a host's key and certificate",
  open: async (folder): Promise<OpenPart> => {
    await needPrograms(['ssh-keygen', 'ssh', 'sshd'], ['openssh-client', 'openssh-server']);
    const site = await Site.open();
    const takeAway = await privilegeSeparation();
    const close = async (): Promise<void> => {
      await site.close(false);
      await takeAway();
    };
    try {
      const keys = new SshKeys(folder);
      const [authority, other] = [await keys.newKey('-t', 'ed25519'), await keys.newKey('-t', 'ed25519')];
      const revoked = join(folder, 'revoked');
      await keygen('-k', '-f', revoked);
      const sshpop = {
        cert_authorities_path: authority.pub,
        canonical_domain: 'example.org',
        revoked_keys_path: revoked,
      };
      const server = await site.server('steeple', { plugins: { NodeAttestor: { sshpop } } });
      const place = { folder, site, server, keys, authority, other, revoked };
      return { cases: [...agentCases(place), ...verdictCases(place)], [Symbol.asyncDispose]: close };
    } catch (error) {
      await close();
      throw error;
    }
  },
};

// The X.509 context as a process of another user gets it.
import { BundleSet, parseCertificates, TrustBundle, type X509Context, X509Svid } from '@steeple/client';
import { NOBODY } from '../../stack/another-user.ts';
import { run } from '../../stack/process.ts';
import { Skip } from '../case.ts';
import { spireProgram } from '../peers/spire.ts';
import type { AgentUnit } from './agent-unit.ts';

interface Printed {
  readonly svids: readonly { x509_svid: string; x509_svid_key: string; bundle: string; hint: string }[];
}

/** SPIRE's own client as that user, against either agent. */
export async function fetchAs(uid: number, agent: AgentUnit): Promise<X509Context> {
  if (process.getuid?.() !== 0) throw new Skip('needs root, to start a process of another user');
  const args = ['api', 'fetch', 'x509', '-output', 'json', '-socketPath', agent.socket];
  const { code, output } = await run(await spireProgram('spire-agent'), args, { uid, gid: NOBODY, cwd: '/' });
  if (code !== 0) throw new Error(`user ${uid} gets nothing: ${output.trim()}`);
  const { svids } = JSON.parse(output) as Printed;
  const bytes = (text: string) => Buffer.from(text, 'base64');
  const bundles = new BundleSet();
  const read = svids.map((svid) => {
    const own = X509Svid.parse(bytes(svid.x509_svid), bytes(svid.x509_svid_key), svid.hint);
    const x509Authorities = parseCertificates(bytes(svid.bundle)).map((certificate) => ({
      certificate,
      tainted: false,
    }));
    bundles.set(TrustBundle.of(own.id.trustDomain, { x509Authorities }));
    return own;
  });
  return { svids: read, bundles };
}

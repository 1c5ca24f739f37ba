import type { X509SVIDResponse } from '@steeple/proto/workload';
import {
  type Certificate,
  parseCertificates,
  SpiffeError,
  SpiffeId,
  TrustBundle,
  verifyX509Svid,
} from '@steeple/spiffe';
import { CommandError, errorText } from '../command-error.ts';
import { formatDuration } from '../go/duration.ts';
import { quote } from '../go/quote.ts';
import { utcTime } from '../go/time.ts';

/** One SVID of an answer, read. */
export interface Svid {
  readonly id: string;
  readonly hint: string;
  readonly chain: readonly Certificate[];
  /** PKCS#8 */
  readonly key: Uint8Array;
  readonly bundle: readonly Certificate[];
  readonly federated: ReadonlyMap<string, readonly Certificate[]>;
}

/** Reads an answer and verifies each SVID against the bundle beside it. @throws {CommandError} */
export function readSvids(answer: X509SVIDResponse, now: number): Svid[] {
  if (answer.svids.length === 0) throw new CommandError('workload response contains no svids');
  const federated = new Map(
    Object.entries(answer.federatedBundles)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, der]) => [name, certificates(der, `failed to parse bundle for federated domain ${quote(name)}`)]),
  );
  return answer.svids.map(({ spiffeId: id, hint, x509Svid, x509SvidKey: key, bundle }, index) => {
    const place = `failed to parse svid entry ${index} for spiffe id ${quote(id)}`;
    const svid = {
      id,
      hint,
      key,
      federated,
      chain: certificates(x509Svid, place),
      bundle: certificates(bundle, place),
    };
    verify(svid, now);
    return svid;
  });
}

const certificates = (der: Uint8Array, place: string): readonly Certificate[] => {
  try {
    const found = parseCertificates(der);
    if (found.length === 0) throw new CommandError('no certificates found');
    return found;
  } catch (error) {
    throw new CommandError(`${place}: ${errorText(error)}`, { cause: error });
  }
};

const verify = ({ id, chain, bundle }: Svid, now: number): void => {
  try {
    const { trustDomain } = SpiffeId.parse(id);
    const x509Authorities = bundle.map((certificate) => ({ certificate, tainted: false }));
    const trust = TrustBundle.of(trustDomain, { x509Authorities });
    verifyX509Svid(chain, { bundleFor: (asked) => (asked.equals(trustDomain) ? trust : undefined) }, { now });
  } catch (error) {
    if (!(error instanceof SpiffeError)) throw error;
    throw new CommandError(`${quote(id)} SVID failed verification against bundle: ${error.message}`, { cause: error });
  }
};

/** What `api fetch` and `api watch` print; `after` in nanoseconds. */
export function svidsText(svids: readonly Svid[], after: bigint): string {
  const head = `Received ${svids.length} svid${svids.length === 1 ? '' : 's'} after ${formatDuration(after)}\n`;
  return `${head}${svids.map((svid) => `\n${svidText(svid)}`).join('')}\n`;
}

const svidText = ({ id, hint, chain, bundle, federated }: Svid): string => {
  const [leaf, ...intermediates] = chain;
  const lines = [`SPIFFE ID:\t\t${id}`];
  if (hint !== '') lines.push(`Hint:\t\t\t${hint}`);
  if (leaf) {
    lines.push(`SVID Valid After:\t${utcTime(leaf.notBefore)}`, `SVID Valid Until:\t${utcTime(leaf.notAfter)}`);
  }
  lines.push(...intermediates.flatMap((certificate, index) => validity(`Intermediate #${index + 1}`, certificate)));
  lines.push(...bundle.flatMap((certificate, index) => validity(`CA #${index + 1}`, certificate)));
  for (const [domain, roots] of federated) {
    lines.push(...roots.flatMap((certificate, index) => validity(`[${domain}] CA #${index + 1}`, certificate)));
  }
  return `${lines.join('\n')}\n`;
};

const validity = (name: string, { notBefore, notAfter }: Certificate): string[] => [
  `${name} Valid After:\t${utcTime(notBefore)}`,
  `${name} Valid Until:\t${utcTime(notAfter)}`,
];

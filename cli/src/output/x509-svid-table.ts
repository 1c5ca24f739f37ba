import type { X509SVIDResponse } from '@steeple/proto/workload';
import { parseCertificates } from '@steeple/spiffe';
import { expiry } from './relative-time.ts';
import { table } from './table.ts';

export function x509SvidTable(answer: X509SVIDResponse, now: number, look: { wide: boolean; colour: boolean }): string {
  const rows = answer.svids.map((svid) => ({ svid, leaf: parseCertificates(svid.x509Svid)[0] }));
  const federated = Object.keys(answer.federatedBundles);
  const shown = table(
    rows,
    [
      { title: 'SPIFFE ID', cell: ({ svid }) => svid.spiffeId },
      { title: 'HINT', cell: ({ svid }) => svid.hint || '-' },
      { title: 'EXPIRES', cell: ({ leaf }) => expiry(leaf?.notAfter ?? 0, now) },
      { title: 'SERIAL', cell: ({ leaf }) => leaf?.serialHex ?? '' },
      { title: 'DNS NAMES', cell: ({ leaf }) => leaf?.dnsSans.join(', ') || '-', wide: true },
      { title: 'AUTHORITIES', cell: ({ svid }) => String(parseCertificates(svid.bundle).length), wide: true },
    ],
    look,
  );
  return federated.length === 0 ? shown : `${shown}\nfederated bundles: ${federated.join(', ')}`;
}

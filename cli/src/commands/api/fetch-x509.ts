import { type X509SVIDResponse, X509SVIDResponseSchema } from '@steeple/proto/workload';
import { parseCertificates, toPem } from '@steeple/spiffe';
import { text } from '../../flags.ts';
import { print } from '../../output/print.ts';
import { x509SvidTable } from '../../output/x509-svid-table.ts';
import type { CliContext, Options } from '../../verb.ts';
import { first, onWorkloadApi, securityHeader } from '../../workload-client.ts';
import { writeFiles } from '../../write-files.ts';

export async function run(options: Options, context: CliContext): Promise<void> {
  const answer = await onWorkloadApi(options, context, (client) =>
    first(client.fetchX509SVID({}, { metadata: securityHeader, deadline: 30, signal: context.signal })),
  );
  const folder = text(options, 'write');
  if (folder !== undefined) context.out((await writeFiles(folder, filesOf(answer))).join('\n'));
  else
    await print(context, options, X509SVIDResponseSchema, answer, (look) => x509SvidTable(answer, context.now(), look));
}

function filesOf(answer: X509SVIDResponse): Map<string, string> {
  const pem = (ders: Uint8Array): string =>
    parseCertificates(ders)
      .map(({ raw }) => toPem('CERTIFICATE', raw))
      .join('');
  const files = new Map<string, string>();
  answer.svids.forEach((svid, index) => {
    files.set(`svid.${index}.pem`, pem(svid.x509Svid));
    files.set(`svid.${index}.key`, toPem('PRIVATE KEY', svid.x509SvidKey));
    files.set(`bundle.${index}.pem`, pem(svid.bundle));
    Object.values(answer.federatedBundles).forEach((bundle, other) => {
      files.set(`federated_bundle.${index}.${other}.pem`, pem(bundle));
    });
  });
  return files;
}

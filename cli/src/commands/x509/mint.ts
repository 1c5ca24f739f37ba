import { bundleV1, svidV1 } from '@steeple/proto/server-api';
import { generateKey, localSigner, makeCsr, parseCertificate, pkcs8Of, toPem } from '@steeple/spiffe';
import { requiredText, text, texts, wholeSeconds } from '../../flags.ts';
import { formatOf, printValue } from '../../output/print.ts';
import { expiry } from '../../output/relative-time.ts';
import { onServer } from '../../server-client.ts';
import { spiffeId } from '../../spiffe-id-flag.ts';
import type { CliContext, Options } from '../../verb.ts';
import { writeFiles } from '../../write-files.ts';

export async function run(options: Options, context: CliContext): Promise<void> {
  const uri = requiredText(options, 'spiffeId', '--spiffe-id');
  spiffeId(uri, '--spiffe-id');
  const key = generateKey('ec-p256');
  const csr = new Uint8Array(await makeCsr(localSigner(key), { uri, dnsNames: [...texts(options, 'dns')] }));
  const ttl = wholeSeconds(options, 'ttl', '--ttl');
  const { svid } = await onServer(svidV1.SVID, options, context, (client) => client.mintX509SVID({ csr, ttl }));
  const bundle = await onServer(bundleV1.Bundle, options, context, (client) => client.getBundle({}));
  const pem = (der: Uint8Array): string => toPem('CERTIFICATE', der);
  const chain = (svid?.certChain ?? []).map(pem);
  const roots = bundle.x509Authorities.map(({ asn1 }) => pem(asn1));
  const privateKey = toPem('PRIVATE KEY', pkcs8Of(key));
  const format = formatOf(options);
  const folder = text(options, 'write');
  if (folder !== undefined) {
    const files = new Map([
      ['svid.pem', chain.join('')],
      ['key.pem', privateKey],
      ['bundle.pem', roots.join('')],
    ]);
    context.out((await writeFiles(folder, files)).join('\n'));
  } else if (format === 'json' || format === 'yaml') {
    await printValue(context, format, { x509_svid: chain, private_key: privateKey, root_cas: roots });
  } else {
    const leaf = parseCertificate(svid?.certChain[0] ?? new Uint8Array());
    context.out(
      [`# ${uri}, expires ${expiry(leaf.notAfter, context.now())}`, ...chain, privateKey, '# bundle', ...roots].join(
        '\n',
      ),
    );
  }
}

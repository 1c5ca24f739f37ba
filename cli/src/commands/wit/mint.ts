import { createPublicKey } from 'node:crypto';
import { svidV1 } from '@steeple/proto/server-api';
import { generateKey, privateJwk, spkiOf } from '@steeple/spiffe';
import { requiredText, text, wholeSeconds } from '../../flags.ts';
import { formatOf, printValue } from '../../output/print.ts';
import { onServer } from '../../server-client.ts';
import { spiffeId } from '../../spiffe-id-flag.ts';
import type { CliContext, Options } from '../../verb.ts';
import { writeFiles } from '../../write-files.ts';

export async function run(options: Options, context: CliContext): Promise<void> {
  const id = spiffeId(requiredText(options, 'spiffeId', '--spiffe-id'), '--spiffe-id');
  const key = generateKey('ec-p256');
  const publicKey = new Uint8Array(spkiOf(createPublicKey(key)));
  const ttl = wholeSeconds(options, 'ttl', '--ttl');
  const { svid } = await onServer(svidV1.SVID, options, context, (client) =>
    client.mintWITSVID({ id, publicKey, ttl, signingAlgorithm: 'ES256' }),
  );
  const token = svid?.token ?? '';
  const jwk = privateJwk(key);
  const format = formatOf(options);
  const folder = text(options, 'write');
  if (folder !== undefined) {
    const files = new Map([
      ['wit.token', token],
      ['key.jwk', JSON.stringify(jwk)],
    ]);
    context.out((await writeFiles(folder, files)).join('\n'));
  } else if (format === 'json' || format === 'yaml') {
    await printValue(context, format, { wit_svid: token, private_key: jwk });
  } else {
    context.out(`${token}\n${JSON.stringify(jwk)}`);
  }
}

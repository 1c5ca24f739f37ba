import { createPublicKey, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { svidV1, type types } from '@steeple/proto/server-api';
import { generateKey, privateJwk, spkiOf } from '@steeple/spiffe';
import type { CallCommand } from '../command.ts';
import { CommandError, explain } from '../command-error.ts';
import { durationFlag, stringFlag } from '../go/flag-kind.ts';
import { outputFlag } from '../output-flag.ts';
import { writeFile } from '../write-file.ts';
import { wholeSeconds } from './int32.ts';
import { mintedId, tellTokenLife } from './mint.ts';

const KEYS: Readonly<Record<string, readonly ('ec-p256' | 'ec-p384' | 'rsa-2048' | 'rsa-4096')[]>> = {
  ES256: ['ec-p256'],
  ES384: ['ec-p384'],
  ...Object.fromEntries(
    ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'].map((name) => [name, ['rsa-2048', 'rsa-4096']]),
  ),
};

/** Shown only where `SPIRE_SERVER_FFLAGS` names `wit-svid`. */
export const witMint: CallCommand = {
  path: 'wit mint',
  synopsis: 'Mints a WIT-SVID',
  on: 'server',
  flags: [
    { name: 'spiffeID', kind: stringFlag, usage: 'SPIFFE ID of the WIT-SVID' },
    { name: 'keyType', kind: stringFlag, usage: 'Key type of the WIT-SVID', initial: 'ec-p256' },
    {
      name: 'signingAlgorithm',
      kind: stringFlag,
      usage: 'Signing algorithm for the workload signing key',
      initial: 'ES256',
    },
    { name: 'ttl', kind: durationFlag, usage: 'TTL of the WIT-SVID' },
    { name: 'write', kind: stringFlag, usage: 'Directory to write output to instead of stdout' },
    outputFlag,
  ],
  run: async (call) => {
    const id = mintedId(call);
    const ttl = wholeSeconds(call.flags.number('ttl'));
    const signingAlgorithm = call.flags.text('signingAlgorithm');
    const key = generateKey(keyTypeOf(call.flags.text('keyType'), signingAlgorithm));
    const publicKey = Uint8Array.from(spkiOf(createPublicKey(key)));
    const minted = call.client(svidV1.SVID).mintWITSVID({ id, publicKey, signingAlgorithm, ttl });
    const { svid } = await explain('unable to mint SVID', minted);
    if (svid === undefined || svid.token === '') throw new CommandError('server response missing token');
    tellTokenLife(call, 'WIT-SVID', svid.token);
    const jwkText = jwkOf(key);
    const folder = call.flags.text('write');
    if (folder === '') {
      const value = { private_key: jwkText, svid: structOf(svid) };
      return call.value(value, () => call.io.out(`${svid.token}\n${jwkText}\n`));
    }
    await explain('unable to write token', writeFile(join(folder, 'token'), svid.token, 0o600));
    call.line(`WIT-SVID written to ${join(folder, 'token')}`);
    await explain('unable to write key', writeFile(join(folder, 'key'), jwkText, 0o600));
    call.line(`Private key written to ${join(folder, 'key')}`);
  },
};

const keyTypeOf = (text: string, algorithm: string): 'ec-p256' | 'ec-p384' | 'rsa-2048' | 'rsa-4096' => {
  const fitting = KEYS[algorithm];
  if (fitting === undefined) throw new CommandError(`unsupported signing algorithm: ${algorithm}`);
  const type = fitting.find((type) => type === text);
  if (type !== undefined) return type;
  throw new CommandError(
    algorithm.startsWith('ES')
      ? `unsupported key type '${text}' for '${algorithm}' signing algorithm`
      : `unsupported key type '${text}' for signing algorithm '${algorithm}'`,
  );
};

const MEMBERS = ['kty', 'crv', 'x', 'y', 'n', 'e', 'd', 'p', 'q', 'dp', 'dq', 'qi'] as const;

const jwkOf = (key: KeyObject): string => {
  const jwk = privateJwk(key) as Readonly<Record<string, unknown>>;
  return JSON.stringify(Object.fromEntries(MEMBERS.flatMap((name) => (name in jwk ? [[name, jwk[name]]] : []))));
};

/** Here the message is printed as a plain value: numbers stay numbers, and what is empty is left out. */
const structOf = ({ token, id, expiresAt, issuedAt, hint }: types.WITSVID): object => ({
  token,
  ...(id && { id: { trust_domain: id.trustDomain, path: id.path } }),
  expires_at: Number(expiresAt),
  issued_at: Number(issuedAt),
  ...(hint !== '' && { hint }),
});

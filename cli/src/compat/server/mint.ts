// `x509 mint` and `jwt mint`.
import { join } from 'node:path';
import { bundleV1, svidV1 } from '@steeple/proto/server-api';
import { generateKey, localSigner, makeCsr, pkcs8Of, toPem } from '@steeple/spiffe';
import type { Call } from '../call.ts';
import type { CallCommand } from '../command.ts';
import { CommandError, explain } from '../command-error.ts';
import { durationFlag, listFlag, stringFlag } from '../go/flag-kind.ts';
import { rfc3339 } from '../go/time.ts';
import { outputFlag } from '../output-flag.ts';
import { idText, readId, type WireId } from '../spiffe-id.ts';
import { writeFile } from '../write-file.ts';
import { wholeSeconds } from './int32.ts';
import { tokenExpiry } from './token-expiry.ts';

export const mintedId = (call: Call): WireId => {
  if (call.flags.text('spiffeID') === '') throw new CommandError('spiffeID must be specified');
  return readId(call.flags.text('spiffeID'));
};

/** Says so when the server gave less than was asked for; whole seconds and the way here always cost a little. */
function tellIfCapped(call: Call, name: string, expiresAt: number): void {
  if (expiresAt - call.io.now() >= Number(call.flags.number('ttl')) / 1e9) return;
  call.io.err(`${name} lifetime was capped shorter than specified ttl; expires "${rfc3339(expiresAt)}"\n`);
}

const x509: CallCommand = {
  path: 'x509 mint',
  synopsis: 'Mints an X509-SVID',
  on: 'server',
  flags: [
    { name: 'spiffeID', kind: stringFlag, usage: 'SPIFFE ID of the X509-SVID' },
    { name: 'ttl', kind: durationFlag, usage: 'TTL of the X509-SVID' },
    {
      name: 'dns',
      kind: listFlag,
      usage: 'DNS name that will be included in SVID. Can be used more than once.',
    },
    { name: 'write', kind: stringFlag, usage: 'Directory to write output to instead of stdout' },
    outputFlag,
  ],
  run: async (call) => {
    const uri = idText(mintedId(call));
    const ttl = wholeSeconds(call.flags.number('ttl'));
    const key = generateKey('ec-p256');
    const made = makeCsr(localSigner(key), { uri, dnsNames: call.flags.list('dns') });
    const csr = Uint8Array.from(await explain('unable to generate CSR', made));
    const { svid } = await explain('unable to mint SVID', call.client(svidV1.SVID).mintX509SVID({ csr, ttl }));
    if (svid === undefined || svid.certChain.length === 0) throw new CommandError('server response missing SVID chain');
    const bundle = await explain('unable to get bundle', call.client(bundleV1.Bundle).getBundle({}));
    if (bundle.x509Authorities.length === 0) throw new CommandError('server response missing X509 Authorities');
    tellIfCapped(call, 'X509-SVID', Number(svid.expiresAt));
    await handOver(call, {
      chain: svid.certChain,
      key: pkcs8Of(key),
      roots: bundle.x509Authorities.map(({ asn1 }) => asn1),
    });
  },
};

interface Minted {
  readonly chain: readonly Uint8Array[];
  readonly key: Uint8Array;
  readonly roots: readonly Uint8Array[];
}

const handOver = async (call: Call, { chain, key, roots }: Minted): Promise<void> => {
  const pem = (certificates: readonly Uint8Array[]): string =>
    certificates.map((der) => toPem('CERTIFICATE', der)).join('');
  const keyPem = toPem('PRIVATE KEY', key);
  const folder = call.flags.text('write');
  if (folder === '') {
    const value = { x509_svid: chain.map(base64), private_key: base64(key), root_cas: roots.map(base64) };
    return call.value(value, () => {
      call.line(`X509-SVID:\n${pem(chain)}`);
      call.line(`Private key:\n${keyPem}`);
      call.line(`Root CAs:\n${pem(roots)}`);
    });
  }
  const files = [
    ['svid.pem', 'SVID', 'X509-SVID', pem(chain), 0o644],
    ['key.pem', 'key', 'Private key', keyPem, 0o600],
    ['bundle.pem', 'bundle', 'Root CAs', pem(roots), 0o644],
  ] as const;
  for (const [name, noun, title, text, mode] of files) {
    const path = join(folder, name);
    await explain(`unable to write ${noun}`, writeFile(path, text, mode));
    call.line(`${title} written to ${path}`);
  }
};

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

const jwt: CallCommand = {
  path: 'jwt mint',
  synopsis: 'Mints a JWT-SVID',
  on: 'server',
  flags: [
    { name: 'spiffeID', kind: stringFlag, usage: 'SPIFFE ID of the JWT-SVID' },
    { name: 'ttl', kind: durationFlag, usage: 'TTL of the JWT-SVID' },
    {
      name: 'audience',
      kind: listFlag,
      usage: 'Audience claim that will be included in the SVID. Can be used more than once.',
    },
    { name: 'write', kind: stringFlag, usage: 'File to write token to instead of stdout' },
    outputFlag,
  ],
  run: async (call) => {
    if (call.flags.text('spiffeID') === '') throw new CommandError('spiffeID must be specified');
    const audience = call.flags.list('audience');
    if (audience.length === 0) throw new CommandError('at least one audience must be specified');
    const id = mintedId(call);
    const ttl = wholeSeconds(call.flags.number('ttl'));
    const minted = call.client(svidV1.SVID).mintJWTSVID({ id, ttl, audience });
    const answer = await explain('unable to mint SVID', minted);
    const token = answer.svid?.token ?? '';
    if (token === '') throw new CommandError('server response missing token');
    tellTokenLife(call, 'JWT-SVID', token);
    const path = call.flags.text('write');
    if (path === '') return call.answer(svidV1.MintJWTSVIDResponseSchema, answer, () => call.line(token));
    await explain('unable to write token', writeFile(path, token, 0o600));
    call.line(`JWT-SVID written to ${path}`);
  },
};

/** As `tellIfCapped`, from what the token itself says. */
export function tellTokenLife(call: Call, name: string, token: string): void {
  const expiry = tokenExpiry(token);
  if (expiry === undefined) call.io.err(`Unable to determine ${name} lifetime: no expiry claim\n`);
  else tellIfCapped(call, name, expiry);
}

/** Commands that have SVIDs issued without an agent. */
export const mintCommands: readonly CallCommand[] = [jwt, x509];

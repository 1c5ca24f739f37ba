import { join } from 'node:path';
import { X509SVIDResponseSchema } from '@steeple/proto/workload';
import { type Certificate, toPem } from '@steeple/spiffe';
import type { Call } from '../call.ts';
import type { CallCommand } from '../command.ts';
import { boolFlag, stringFlag } from '../go/flag-kind.ts';
import { outputFlag } from '../output-flag.ts';
import { writeFile } from '../write-file.ts';
import { first, workloadApi, workloadOptions } from './workload.ts';
import { readSvids, type Svid, svidsText } from './x509-text.ts';

/** `api fetch` and `api fetch x509` are one command. */
export const fetchX509 = (path: string): CallCommand => ({
  path,
  title: 'fetch x509',
  synopsis: 'Fetches X509 SVIDs from the Workload API',
  on: 'workload',
  flags: [
    { name: 'silent', kind: boolFlag, usage: 'Suppress stdout' },
    {
      name: 'write',
      kind: stringFlag,
      usage: 'Write SVID data to the specified path (optional; only available for pretty output format)',
    },
    outputFlag,
  ],
  run: async (call) => {
    const start = call.io.now();
    const answer = await first(workloadApi(call).fetchX509SVID({}, workloadOptions(call)));
    const after = BigInt(Math.max(0, Math.round((call.io.now() - start) * 1e9)));
    if (call.flags.output === 'json') return call.answer(X509SVIDResponseSchema, answer, () => {});
    const svids = readSvids(answer, call.io.now());
    if (!call.flags.isOn('silent')) call.io.out(svidsText(svids, after));
    if (call.flags.text('write') !== '') await writeAll(call, svids);
  },
});

const writeAll = async (call: Call, svids: readonly Svid[]): Promise<void> => {
  const folder = call.flags.text('write');
  const write = async (what: string, name: string, text: string, mode: number): Promise<void> => {
    const path = join(folder, name);
    call.line(`Writing ${what} to file ${path}.`);
    await writeFile(path, text, mode);
  };
  for (const [index, svid] of svids.entries()) {
    await write(`SVID #${index}`, `svid.${index}.pem`, pem(svid.chain), 0o644);
    await write(`key #${index}`, `svid.${index}.key`, toPem('PRIVATE KEY', svid.key), 0o600);
    await write(`bundle #${index}`, `bundle.${index}.pem`, pem(svid.bundle), 0o644);
    for (const [other, [domain, roots]] of [...svid.federated].entries()) {
      const what = `federated bundle #${other} for trust domain ${domain}`;
      await write(what, `federated_bundle.${index}.${other}.pem`, pem(roots), 0o644);
    }
  }
};

const pem = (certificates: readonly Certificate[]): string =>
  certificates.map(({ raw }) => toPem('CERTIFICATE', raw)).join('');

import { setTimeout as sleep } from 'node:timers/promises';
import { Code, GrpcError } from '@steeple/proto/grpc';
import type { CallCommand } from '../command.ts';
import { CommandError, errorText } from '../command-error.ts';
import { workloadApi } from './workload.ts';
import { readSvids, svidsText } from './x509-text.ts';

export const watch: CallCommand = {
  path: 'api watch',
  title: 'watch',
  synopsis: "Attaches to the Workload API and prints updates as they're received",
  on: 'workload',
  withoutTimeout: true,
  helpTail: true,
  flags: [],
  run: async (call) => {
    const { io } = call;
    const client = workloadApi(call);
    let updated = io.now();
    for (let failures = 0; !io.signal.aborted; failures++) {
      try {
        const options = { metadata: { 'workload.spiffe.io': 'true' }, signal: io.signal };
        for await (const answer of client.fetchX509SVID({}, options)) {
          failures = 0;
          const after = BigInt(Math.max(0, Math.round((io.now() - updated) * 1e9)));
          io.out(svidsText(readSvids(answer, io.now()), after));
          updated = io.now();
        }
      } catch (error) {
        if (io.signal.aborted) break;
        if (error instanceof GrpcError && error.code === Code.INVALID_ARGUMENT) throw error;
        io.err(`${errorText(error)}\n`);
      }
      const pause = Math.min(30, 1 + failures);
      await sleep(pause * 1000, undefined, { signal: io.signal }).catch(() => {});
    }
    throw new CommandError('rpc error: code = Canceled desc = context canceled');
  },
};

import { setTimeout as sleep } from 'node:timers/promises';
import { Code, GrpcError } from '@steeple/proto/grpc';
import { X509SVIDResponseSchema } from '@steeple/proto/workload';
import { print } from '../../output/print.ts';
import { x509SvidTable } from '../../output/x509-svid-table.ts';
import type { CliContext, Options } from '../../verb.ts';
import { onWorkloadApi, securityHeader } from '../../workload-client.ts';

export async function run(options: Options, context: CliContext): Promise<void> {
  await onWorkloadApi(options, context, async (client) => {
    while (!context.signal.aborted) {
      try {
        for await (const answer of client.fetchX509SVID({}, { metadata: securityHeader, signal: context.signal })) {
          await print(
            context,
            options,
            X509SVIDResponseSchema,
            answer,
            (look) => `${new Date(context.now() * 1000).toISOString()}\n${x509SvidTable(answer, context.now(), look)}`,
          );
        }
      } catch (error) {
        if (context.signal.aborted) return;
        if (error instanceof GrpcError && error.code === Code.INVALID_ARGUMENT) throw error;
        context.err(`${error instanceof Error ? error.message : String(error)}; trying again`);
      }
      await sleep(1000, undefined, { signal: context.signal }).catch(() => {});
    }
  });
}

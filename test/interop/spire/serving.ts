import { existsSync } from 'node:fs';
import { credentials } from '@grpc/grpc-js';
import { createClient } from '@steeple/proto/grpc';
import { healthV1 } from '@steeple/proto/infra';
import type { Process } from '../../stack/process.ts';

/** Waits until the process answers a health check on its socket. */
export async function serving(process: Process, socket: string, seconds = 30): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await isServing(socket))) {
    if (!process.running) throw new Error(`${process.name} did not start:\n${process.tail(3)}`);
    if (Date.now() > end) throw new Error(`${process.name} is not healthy after ${seconds} s:\n${process.tail(3)}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

async function isServing(socket: string): Promise<boolean> {
  if (!existsSync(socket)) return false;
  const client = createClient(healthV1.Health, {
    address: `unix:${socket}`,
    credentials: credentials.createInsecure(),
    options: { 'grpc.use_local_subchannel_pool': 1 },
  });
  try {
    const { status } = await client.check({}, { metadata: { 'workload.spiffe.io': 'true' }, deadline: 2 });
    return status === healthV1.HealthCheckResponse_ServingStatus.SERVING;
  } catch {
    return false;
  } finally {
    client.close();
  }
}

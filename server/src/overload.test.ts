import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { Code, GrpcError, heedRetryInfo } from '@steeple/proto/grpc';
import { agentV1, bundleV1 } from '@steeple/proto/server-api';
import { expect, it } from 'vitest';
import { attestMessages, newRequest, TestServer } from './testing/test-server.ts';

it('gives each of two thousand strangers an answer or an appointment, and administrators are served meanwhile', async () => {
  await using server = await TestServer.start();
  const { csr } = await newRequest();
  const clients = await Promise.all(Array.from({ length: 8 }, () => server.remote(agentV1.Agent)));
  const attempt = async (index: number): Promise<string> => {
    try {
      const client = clients[index % clients.length] as (typeof clients)[0];
      for await (const _ of client.attestAgent(attestMessages(`no token ${index}`, csr))) return 'attested';
      return 'ended';
    } catch (error) {
      if (!(error instanceof GrpcError)) throw error;
      if (error.code !== Code.UNAVAILABLE) return error.message;
      return heedRetryInfo(error, 0) > 0 ? 'appointment' : `unavailable: ${error.message}`;
    }
  };
  const storm = Promise.all(Array.from({ length: 2000 }, (_, index) => attempt(index)));
  const over = new AbortController();
  void storm.then(() => over.abort());
  let answered = 0;
  for (; !over.signal.aborted; answered += 1) await server.admin(bundleV1.Bundle).getBundle({});
  const outcomes = new Set(await storm);
  outcomes.delete('appointment');
  expect([...outcomes]).toEqual([expect.stringMatching(/join token does not exist/)]);
  expect(answered).toBeGreaterThan(1);
  await server.attest();
}, 60_000);

it('attests an agent beside connections that never say anything', async () => {
  await using server = await TestServer.start();
  const silent = await Promise.all(
    Array.from({ length: 400 }, async (): Promise<Socket> => {
      const socket = createConnection(server.running.addresses.port, '127.0.0.1');
      socket.on('error', () => {});
      await once(socket, 'connect');
      return socket;
    }),
  );
  const svid = await server.attest();
  expect(svid.id.toString()).toContain('/spire/agent/join_token/');
  for (const socket of silent) socket.destroy();
});

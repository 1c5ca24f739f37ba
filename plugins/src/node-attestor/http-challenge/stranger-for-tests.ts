import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { silentLogger } from '@steeple/daemon';
import { TrustDomain } from '@steeple/spiffe';
import { ChannelPair } from '../channel-for-tests.ts';
import type { VerifiedNode } from '../node-attestor.ts';
import { networksOf } from './addresses.ts';
import { hostNamesOf } from './host-names.ts';
import { HttpChallengeVerifier, type HttpChallengeVerifierOptions } from './verifier.ts';

const open: { close(): unknown }[] = [];

/** Closes what was served. */
export function closeAll(): void {
  for (const server of open.splice(0)) server.close();
}

/** What the verifier says to an agent that is asked at `hostname` and `port`. `nonce` tells what it will be asked for. */
export async function verifyStranger(
  payload: Record<string, unknown>,
  options: Partial<HttpChallengeVerifierOptions> = {},
  nonce: (text: string) => void = () => undefined,
): Promise<VerifiedNode> {
  const verifier = new HttpChallengeVerifier({
    trustDomain: TrustDomain.parse('example.org'),
    hostNames: hostNamesOf([]),
    networks: networksOf(['127.0.0.0/8']),
    requiredPort: undefined,
    allowNonRootPorts: true,
    tofu: true,
    patience: 10,
    resolver: async () => [{ address: '127.0.0.1', family: 4 }],
    random: (bytes) => Buffer.alloc(bytes, 7),
    logger: silentLogger,
    ...options,
  });
  const pair = new ChannelPair();
  const data = Buffer.from(JSON.stringify({ hostname: 'node.example.org', agentname: 'default', port: 1, ...payload }));
  const verifying = verifier.verify(data, pair.server, new AbortController().signal);
  verifying.catch(() => pair.close());
  const challenge = await pair.agent.receive().catch(() => undefined);
  if (challenge !== undefined) {
    nonce((JSON.parse(Buffer.from(challenge).toString()) as { nonce: string }).nonce);
    await pair.agent.send(Uint8Array.of(10));
  }
  return await verifying;
}

export async function serve(listener: RequestListener): Promise<number> {
  const server: Server = createServer(listener);
  open.push({ close: () => (server.closeAllConnections(), server.close()) });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** A server that speaks bytes instead of HTTP. */
export async function serveRaw(speak: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    socket.once('data', () => speak(socket));
  });
  open.push({
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

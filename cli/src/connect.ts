import { existsSync } from 'node:fs';
import type { DescService } from '@bufbuild/protobuf';
import { credentials } from '@grpc/grpc-js';
import { defaultSocket } from '@steeple/daemon';
import { Code, createClient, GrpcError, type ServiceClient } from '@steeple/proto/grpc';
import { UserError } from './exit.ts';

/** The server's administrative socket: the flag, STEEPLE_SERVER_SOCKET, or the default. */
export function serverSocket(flag: string | undefined, env: NodeJS.ProcessEnv): string {
  return flag ?? env['STEEPLE_SERVER_SOCKET'] ?? defaultSocket('server', env);
}

/** The Workload API socket as a path: the flag, SPIFFE_ENDPOINT_SOCKET, or the default. */
export function workloadSocket(flag: string | undefined, env: NodeJS.ProcessEnv): string {
  const given = flag ?? env['SPIFFE_ENDPOINT_SOCKET'] ?? defaultSocket('agent', env);
  return given.replace(/^unix:(\/\/(?=\/))?/, '');
}

/** A client of one service behind a unix socket. */
function connect<S extends DescService>(service: S, socket: string, patience?: number): ServiceClient<S> {
  if (!existsSync(socket)) throw new UserError(`no socket at ${socket}`, socketAdvice(socket));
  const limit = { loadBalancingConfig: [], methodConfig: [{ name: [{}], timeout: `${patience}s` }] };
  return createClient(service, {
    address: `unix:${socket}`,
    credentials: credentials.createInsecure(),
    ...(patience === undefined ? {} : { options: { 'grpc.service_config': JSON.stringify(limit) } }),
  });
}

export interface UseOptions {
  /** Seconds that one call may take; without it as long as the other side likes. */
  readonly patience?: number;
  /** Ends the use of the client. */
  readonly signal?: AbortSignal;
}

/** Rejects when the user interrupts. */
function interruption(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const interrupt = (): void => reject(new UserError('interrupted'));
    if (signal.aborted) interrupt();
    signal.addEventListener('abort', interrupt, { once: true });
  });
}

function socketAdvice(socket: string): string {
  return socket.includes('agent')
    ? 'is the agent running? start it with `steeple agent run`, or name its socket with --socket or SPIFFE_ENDPOINT_SOCKET'
    : 'is the server running? start it with `steeple server run`, or name its socket with --socket or STEEPLE_SERVER_SOCKET';
}

/** Runs `use` with a client and closes it afterwards; a dead socket becomes an error that says what to do. */
export async function withClient<S extends DescService, T>(
  service: S,
  socket: string,
  use: (client: ServiceClient<S>) => Promise<T>,
  { patience, signal }: UseOptions = {},
): Promise<T> {
  const client = connect(service, socket, patience);
  try {
    return await (signal === undefined ? use(client) : Promise.race([use(client), interruption(signal)]));
  } catch (error) {
    if (isSilence(error)) {
      throw new UserError(`nobody answers at ${socket}`, socketAdvice(socket), { cause: error });
    }
    throw error;
  } finally {
    client.close();
  }
}

function isSilence(error: unknown): boolean {
  if (!(error instanceof GrpcError)) return false;
  if (error.code === Code.DEADLINE_EXCEEDED) return true;
  return error.code === Code.UNAVAILABLE && /connect|ECONN|No connection/i.test(error.message);
}

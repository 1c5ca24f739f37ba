import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DescService } from '@bufbuild/protobuf';
import { credentials } from '@grpc/grpc-js';
import { Code, createClient, GrpcError, type ServiceClient } from '@steeple/proto/grpc';
import { UserError } from './exit.ts';

/** Where sockets are when nothing else is said: the user's runtime folder, or /run/steeple for root. */
function runtimeDir(env: NodeJS.ProcessEnv): string {
  return env['XDG_RUNTIME_DIR'] === undefined ? '/run/steeple' : join(env['XDG_RUNTIME_DIR'], 'steeple');
}

/** The server's administrative socket: the flag, STEEPLE_SERVER_SOCKET, or the default. */
export function serverSocket(flag: string | undefined, env: NodeJS.ProcessEnv): string {
  return flag ?? env['STEEPLE_SERVER_SOCKET'] ?? join(runtimeDir(env), 'server', 'api.sock');
}

/** The Workload API socket as a path: the flag, SPIFFE_ENDPOINT_SOCKET, or the default. */
export function workloadSocket(flag: string | undefined, env: NodeJS.ProcessEnv): string {
  const given = flag ?? env['SPIFFE_ENDPOINT_SOCKET'] ?? join(runtimeDir(env), 'agent', 'api.sock');
  return given.replace(/^unix:(\/\/(?=\/))?/, '');
}

/** A client of one service behind a unix socket. */
function connect<S extends DescService>(service: S, socket: string): ServiceClient<S> {
  if (!existsSync(socket)) throw new UserError(`no socket at ${socket}`, socketAdvice(socket));
  return createClient(service, { address: `unix:${socket}`, credentials: credentials.createInsecure() });
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
): Promise<T> {
  const client = connect(service, socket);
  try {
    return await use(client);
  } catch (error) {
    if (
      error instanceof GrpcError &&
      error.code === Code.UNAVAILABLE &&
      /connect|ECONN|No connection/i.test(error.message)
    ) {
      throw new UserError(`nobody answers at ${socket}`, socketAdvice(socket), { cause: error });
    }
    throw error;
  } finally {
    client.close();
  }
}

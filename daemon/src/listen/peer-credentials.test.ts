import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type PeerCredentials, peerCredentials } from './peer-credentials.ts';

let dir: string;
let server: Server;
let path: string;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'steeple-peer-'));
  path = join(dir, 's');
  server = createServer().listen(path);
  await once(server, 'listening');
});
afterEach(() => {
  server.close();
  rmSync(dir, { recursive: true, force: true });
});

/** The next accepted socket, and its credentials or why there are none. */
async function accepted(): Promise<{ socket: Socket; peer?: PeerCredentials; error?: Error }> {
  return new Promise((resolve) => {
    server.once('connection', (socket) => {
      socket.on('error', () => {});
      try {
        resolve({ socket, peer: peerCredentials(socket) });
      } catch (error) {
        resolve({ socket, error: error as Error });
      }
    });
  });
}

const connecting = `require('node:net').connect(process.argv[1]).on('error', () => {}); setInterval(() => {}, 1000)`;

describe('peerCredentials', () => {
  it('knows this process, and keeps no descriptor after close', async () => {
    const next = accepted();
    const client = connect(path);
    const { peer, socket } = await next;
    expect(peer).toMatchObject({ pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() });
    expect(peer?.startTime).toMatch(/^\d+$/);
    expect(peer?.isAlive()).toBe(true);
    const held = `/proc/self/fd/${peer?.pidfd}`;
    if (peer?.pidfd !== undefined) expect(existsSync(held)).toBe(true);
    peer?.close();
    if (peer?.pidfd !== undefined) expect(existsSync(held)).toBe(false);
    expect(peer?.isAlive()).toBe(false);
    expect(() => peer?.close()).not.toThrow();
    client.destroy();
    socket.destroy();
  });

  it('knows another process, and sees it end', async () => {
    const next = accepted();
    const child = spawn(process.execPath, ['-e', connecting, path], { stdio: 'ignore' });
    const { peer, socket } = await next;
    expect(peer?.pid).toBe(child.pid);
    expect(peer?.isAlive()).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(peer?.isAlive()).toBe(false);
    peer?.close();
    socket.destroy();
  });

  it('refuses a peer that ended before it was looked at, even when a child of it holds the socket', async () => {
    const script = `
      const socket = require('node:net').connect(process.argv[1], () => {
        require('node:child_process').spawn('cat', [], { stdio: [socket, 'ignore', 'ignore'], detached: true }).unref();
        setTimeout(() => process.exit(0), 50);
      });`;
    const connection = once(server, 'connection') as Promise<[Socket]>;
    const child = spawn(process.execPath, ['-e', script, path], { stdio: 'ignore' });
    const [socket] = await connection;
    await once(child, 'exit');
    expect(() => peerCredentials(socket)).toThrow('gone');
    // The child sees the end of its input and ends.
    socket.destroy();
  });

  it('refuses what is no Unix socket or has no descriptor', async () => {
    expect(() => peerCredentials(new Socket())).toThrow('descriptor');
    const tcp = createServer().listen(0, '127.0.0.1');
    await once(tcp, 'listening');
    const connection = once(tcp, 'connection') as Promise<[Socket]>;
    const client = connect((tcp.address() as { port: number }).port, '127.0.0.1');
    const [socket] = await connection;
    expect(() => peerCredentials(socket)).toThrow();
    socket.destroy();
    client.destroy();
    expect(() => peerCredentials(socket)).toThrow('descriptor');
    tcp.close();
  });
});

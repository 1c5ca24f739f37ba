import type { Socket } from 'node:net';
import { createLogger } from '@steeple/daemon';
import { afterEach, describe, expect, it } from 'vitest';
import { ANY_HARMLESS } from './addresses.ts';
import { closeAll, serve, serveRaw, verifyStranger as verify } from './stranger-for-tests.ts';
import type { HttpChallengeVerifierOptions } from './verifier.ts';

afterEach(closeAll);
const unproven = { code: 'permission-denied', message: expect.stringContaining('challenge verification failed') };

describe('a stranger does not learn or waste', () => {
  it('what the server found there, which only the log tells', async () => {
    let log = '';
    const logger = createLogger({ format: 'text', level: 'debug', write: (line) => (log += line), now: () => 0 });
    const closed = await closedPort();
    const port = await serve((_request, response) => response.writeHead(403).end('secret of another'));
    const tell = async (payload: Record<string, unknown>, options: Partial<HttpChallengeVerifierOptions> = {}) =>
      ((await verify(payload, { logger, ...options }).catch((error: unknown) => error)) as Error).message;
    const answers = new Set([
      await tell({ port }),
      await tell({ port: closed }),
      await tell({ port }, { networks: ANY_HARMLESS }),
      await tell({ port }, { resolver: () => Promise.reject(new Error('ENOTFOUND')) }),
      await tell({ port }, { resolver: async () => [] }),
    ]);
    expect(answers).toHaveLength(1);
    expect([...answers].join()).not.toMatch(/403|secret|ECONN|127/);
    expect(log).toMatch(/status 403/);
    expect(log).toMatch(/ECONNREFUSED/);
    expect(log).not.toContain('secret');
  });

  it.each([
    ['more than a nonce', (nonce: string) => nonce + ' '.repeat(64)],
    ['another text', () => 'A'.repeat(44)],
    ['nothing', () => ''],
    ['the nonce twice', (nonce: string) => `${nonce}${nonce}`.slice(0, 64)],
    ['the nonce in other letters', (nonce: string) => nonce.toLowerCase()],
  ])('is not believed with %s', async (_name, answer) => {
    let nonce = '';
    const port = await serve((_request, response) => response.end(answer(nonce)));
    await expect(verify({ port }, {}, (text) => (nonce = text))).rejects.toMatchObject(unproven);
  });

  it.each([200, 404, 500, 204])('with status %i: only 200 counts', async (status) => {
    let nonce = '';
    const port = await serve((_request, response) => response.writeHead(status).end(nonce));
    const verifying = verify({ port }, {}, (text) => (nonce = text));
    if (status === 200) expect((await verifying).agentId.path).toBe('/spire/agent/http_challenge/node.example.org');
    else await expect(verifying).rejects.toMatchObject(unproven);
  });

  it.each([
    ['an endless answer', (socket: Socket) => pour(socket, 'HTTP/1.1 200 OK\r\n\r\n')],
    ['endless headers', (socket: Socket) => pour(socket, 'HTTP/1.1 200 OK\r\n', 'x: y\r\n')],
    ['no HTTP', (socket: Socket) => socket.end('SSH-2.0-x\r\n')],
    [
      'another protocol',
      (socket: Socket) => socket.write('HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
    ],
    ['a broken answer', (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 44\r\n\r\nabc')],
    ['a closed door', (socket: Socket) => socket.destroy()],
  ])('the server with %s', async (_name, speak) => {
    await expect(verify({ port: await serveRaw(speak) })).rejects.toMatchObject(unproven);
  });

  it('the server with silence, a slow answer, or a name that is never resolved', async () => {
    const patience = 0.1;
    const silent = await serveRaw(() => undefined);
    await expect(verify({ port: silent }, { patience })).rejects.toMatchObject(unproven);
    const slow = await serveRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 60\r\n\r\n');
      const timer = setInterval(() => socket.write('x'), 20);
      socket.once('close', () => clearInterval(timer));
    });
    await expect(verify({ port: slow }, { patience })).rejects.toMatchObject(unproven);
    const resolver: HttpChallengeVerifierOptions['resolver'] = (_name, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('late'))));
    await expect(verify({ port: silent }, { patience, resolver })).rejects.toMatchObject(unproven);
  });
});

function pour(socket: Socket, start: string, more = 'x'): void {
  socket.write(start);
  const timer = setInterval(() => socket.write(more.repeat(2000)), 1);
  socket.once('close', () => clearInterval(timer));
}

/** A port that was open a moment ago. */
async function closedPort(): Promise<number> {
  const port = await serve(() => undefined);
  closeAll();
  return port;
}

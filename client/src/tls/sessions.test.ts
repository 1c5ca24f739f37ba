import { once } from 'node:events';
import { connect as rawConnect } from 'node:tls';
import { expect, it } from 'vitest';
import { createTlsServer } from './create-server.ts';
import { anyone, closed, listening, SettableSvid, twoDomains } from './fixture.ts';
import { contextOptions } from './svid-context.ts';

// What a client of another making would do: keep every ticket it is given and offer it again.
async function sessionOf(options: object): Promise<{ reused: boolean; session: Buffer | undefined }> {
  const socket = rawConnect({ host: '127.0.0.1', secureOptions: 0, rejectUnauthorized: false, ...options });
  let session: Buffer | undefined;
  socket.on('session', (given: Buffer) => (session = given)).on('error', () => {});
  socket.resume();
  await once(socket, 'secureConnect');
  const reused = socket.isSessionReused();
  await once(socket, 'close');
  return { reused, session };
}

it.each(['TLSv1.2', 'TLSv1.3'] as const)('sessions are not resumed (%s)', async (maxVersion) => {
  const { a, onlyA } = await twoDomains();
  let admitted = 0;
  const svid = new SettableSvid(await a.x509Svid('/server'));
  const server = await listening(
    createTlsServer({ svid, bundles: onlyA, ...anyone }, (socket) => {
      admitted += 1;
      socket.on('error', () => {}).end('hello');
    }),
  );
  const options = { port: server.port, maxVersion, ...contextOptions(await a.x509Svid('/client')) };
  const first = await sessionOf(options);
  const second = await sessionOf({ ...options, session: first.session });
  expect([first.reused, second.reused]).toEqual([false, false]);
  expect(admitted).toBe(2);
  await closed(server);
});

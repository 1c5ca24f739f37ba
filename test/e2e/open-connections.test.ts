// A revoked authority of a real server ends what is open to those it vouched for.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { authorizeAny, connectTls, createTlsServer, X509Source } from '@steeple/client';
import { expect, it } from 'vitest';
import { Home } from './home.ts';

it('an open connection stays through a rotation of the authority and is cut when the old one is revoked', async () => {
  await using home = await Home.open();
  await home.ready();
  await home.addEntry({ path: '/x' });
  await using source = await X509Source.open({ address: `unix:${home.socket}`, timeout: 30 });
  const old = source.x509Svid();
  // A peer that kept its first SVID, as a thief would.
  const server = createTlsServer(
    { svid: { x509Svid: () => old }, bundles: source, authorize: authorizeAny(), clientCertificate: 'none' },
    (socket) => void socket.on('error', () => {}).resume(),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const { socket } = await connectTls({ host: '127.0.0.1', port }, { bundles: source, authorize: authorizeAny() });
  const cut = once(socket, 'error');

  const { authority } = home.admin;
  const { preparedAuthority } = await authority.prepareX509Authority({});
  await authority.activateX509Authority({ authorityId: preparedAuthority?.authorityId ?? '' });
  const previous = (await authority.getX509AuthorityState({})).old?.authorityId ?? '';
  await authority.taintX509Authority({ authorityId: previous });
  await expect.poll(() => source.x509Svid().leaf.equals(old.leaf), { timeout: 30_000 }).toBe(false);
  expect(socket.destroyed).toBe(false);

  await authority.revokeX509Authority({ authorityId: previous });
  expect((await cut)[0]).toMatchObject({ code: 'untrusted-peer' });
  server.close();
});

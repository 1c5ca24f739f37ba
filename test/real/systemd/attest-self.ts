// Attests itself by systemd as an agent would, with what the kernel says of a connection: `attest-self.ts <bus> <file>`.
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { systemClock } from '../../../daemon/src/index.ts';
import { peerCredentials } from '../../../daemon/src/listen/index.ts';
import { SystemdAttestor } from '../../../plugins/src/workload-attestor/systemd.ts';

const [bus = '', file = ''] = process.argv.slice(2);
const path = `${file}.socket`;
rmSync(path, { force: true });
const server = createServer().listen(path);
await once(server, 'listening');
const connected = once(server, 'connection') as Promise<[Socket]>;
const socket = connect(path);
const peer = peerCredentials((await connected)[0]);
const attestor = new SystemdAttestor({ clock: systemClock, environment: { DBUS_SYSTEM_BUS_ADDRESS: bus } });
const answer = await attestor.attest(peer, AbortSignal.timeout(5000)).then(
  (selectors) => selectors.map(({ value }) => value).join(' '),
  (error: unknown) => (error instanceof Error ? error.message : String(error)),
);
writeFileSync(file, `${process.pid} ${answer}\n`, { flag: 'a' });
attestor.close();
socket.destroy();
server.close();

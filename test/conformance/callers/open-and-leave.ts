// Opens a connection to a Workload API, hands it to a process of another user, and is gone, unless told to `stay`.
import { spawn } from 'node:child_process';
import { connect } from 'node:net';

const [, , path = '', uid = '0', manner = 'leave'] = process.argv;
const socket = connect(path);
socket.on('connect', () => {
  const heir = new URL('./call.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [heir, 'inherited'], {
    stdio: ['ignore', 'inherit', 'inherit', socket],
    uid: Number(uid),
    detached: true,
  });
  child.unref();
  setTimeout(() => process.exit(0), manner === 'stay' ? 10_000 : 200);
});

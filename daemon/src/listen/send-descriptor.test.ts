import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendDescriptor } from './send-descriptor.ts';

describe('sendDescriptor', () => {
  const folder = mkdtempSync(join(tmpdir(), 'steeple-send-'));
  const server = createServer();
  let client: Socket;
  let received: Socket;
  beforeAll(async () => {
    server.listen(join(folder, 's'));
    await once(server, 'listening');
    client = connect(join(folder, 's'));
    [received] = (await once(server, 'connection')) as [Socket];
    received.setEncoding('latin1');
  });
  afterAll(() => {
    client.destroy();
    received.destroy();
    server.close();
    rmSync(folder, { recursive: true });
  });

  it('sends the bytes in their turn', async () => {
    const file = openSync('/dev/null', 'r');
    client.write('one ');
    await once(received, 'data');
    expect(sendDescriptor(client, Buffer.from('two'), file)).toBe(true);
    expect(await once(received, 'data')).toEqual(['two']);
    closeSync(file);
  });

  it('sends nothing with a descriptor that is not open: the kernel looks at it', async () => {
    const closed = openSync('/dev/null', 'r');
    closeSync(closed);
    expect(sendDescriptor(client, Buffer.from('never'), closed)).toBe(false);
    client.write('three');
    expect(await once(received, 'data')).toEqual(['three']);
  });

  it('sends nothing before what already waits', () => {
    const file = openSync('/dev/null', 'r');
    received.pause();
    while (client.writableLength === 0) client.write(Buffer.alloc(65_536));
    expect(sendDescriptor(client, Buffer.from('first'), file)).toBe(false);
    closeSync(file);
  });
});

import { SpiffeId } from '@steeple/spiffe';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { authorizeId } from './authorize.ts';
import { createHttpsServer } from './create-server.ts';
import { anyone, closed, listening, SettableSvid, type TwoDomains, twoDomains } from './fixture.ts';
import { peerOf } from './server-guard.ts';
import { spiffeFetch } from './spiffe-fetch.ts';

let domains: TwoDomains;
const cleanups: (() => Promise<void>)[] = [];

beforeAll(async () => {
  domains = await twoDomains();
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function serve() {
  const svid = new SettableSvid(await domains.a.x509Svid('/web'));
  const server = await listening(
    createHttpsServer({ svid, bundles: domains.onlyA, ...anyone }, (request, response) => {
      if (request.url === '/moved') return void response.writeHead(302, { location: '/' }).end();
      if (request.url === '/nothing') return void response.writeHead(204).end();
      response.setHeader('x-peer', peerOf(request.socket)?.id.toString() ?? '');
      response.setHeader('set-cookie', ['a=1', 'b=2']);
      return void request.pipe(response);
    }),
  );
  cleanups.push(() => closed(server));
  return `https://localhost:${server.port}`;
}

const client = async () => ({
  svid: new SettableSvid(await domains.a.x509Svid('/client')),
  bundles: domains.onlyA,
  ...anyone,
});

describe('spiffeFetch', () => {
  it('posts and reads like fetch', async () => {
    const base = await serve();
    using fetch = spiffeFetch(await client());
    const response = await fetch(`${base}/echo`, { method: 'POST', body: 'hello' });
    expect([response.status, await response.text()]).toEqual([200, 'hello']);
    expect(response.headers.get('x-peer')).toBe('spiffe://a.test/client');
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  });

  it('hands back redirects, and knows responses without body', async () => {
    const base = await serve();
    using fetch = spiffeFetch(await client());
    const moved = await fetch(`${base}/moved`);
    expect([moved.status, moved.headers.get('location')]).toEqual([302, '/']);
    await moved.arrayBuffer();
    expect((await fetch(`${base}/nothing`)).status).toBe(204);
  });

  it('refuses a server that is not the expected one, even to send the body to', async () => {
    const base = await serve();
    const authorize = authorizeId(SpiffeId.parse('spiffe://a.test/other'));
    using fetch = spiffeFetch({ ...(await client()), authorize });
    const attempt = fetch(base, { method: 'POST', body: 'secret' });
    await expect(attempt).rejects.toMatchObject({ code: 'unauthorized-peer' });
  });

  it('refuses plain http and can be aborted', async () => {
    const base = await serve();
    using fetch = spiffeFetch(await client());
    await expect(fetch('http://localhost/')).rejects.toThrow('https');
    await expect(fetch(base, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
  });
});

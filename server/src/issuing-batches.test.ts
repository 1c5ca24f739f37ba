import { createPublicKey, type KeyObject } from 'node:crypto';
import { svidV1 } from '@steeple/proto/server-api';
import { parseCertificate, spkiOf } from '@steeple/spiffe';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newRequest, TestServer } from './testing/test-server.ts';

describe('large batches over a real socket', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start();
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  it('answers each request at its place, with its own key, and refuses the bad ones between', async () => {
    const agent = await server.attest();
    const entryId = await server.createEntry(agent, '/large');
    const svids = await server.remote(svidV1.SVID, agent);
    const requests = await Promise.all(Array.from({ length: 60 }, () => newRequest()));
    const params = requests.map(({ csr }, index) => {
      if (index % 7 === 3) return { entryId, csr: csr.map((octet, at) => (at === csr.length - 1 ? octet ^ 1 : octet)) };
      if (index % 7 === 5) return { entryId: 'nope', csr };
      return index % 7 === 6 ? { entryId } : { entryId, csr };
    });
    // Twice at the same time, and once more when the threads have started.
    const answers = await Promise.all([1, 2].map(() => svids.batchNewX509SVID({ params })));
    answers.push(await svids.batchNewX509SVID({ params }));
    for (const { results } of answers) {
      expect(results).toHaveLength(60);
      for (const [index, { status, svid }] of results.entries()) {
        const text = [/OK/, /OK/, /OK/, /^invalid CSR signature: /, /OK/, /^entry not found/, /^missing CSR$/][
          index % 7
        ];
        expect(status?.message).toMatch(text ?? /never/);
        const leaf = svid?.certChain[0];
        const key = status?.code === 0 ? spkiOf(createPublicKey(requests[index]?.key as KeyObject)) : undefined;
        expect(leaf && new Uint8Array(parseCertificate(leaf).spki)).toEqual(key);
      }
    }
  });
});

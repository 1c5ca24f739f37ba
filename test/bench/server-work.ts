// What agents and administrators ask of a server, ours or SPIRE's: over connections of their own, as agents have.
import { generateKeyPairSync } from 'node:crypto';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { localSigner, makeCsr } from '@steeple/client';
import type { svidV1, types } from '@steeple/proto/server-api';
import { attest, remoteApi, tokenProof } from '../interop/spire/remote.ts';
import { type ServerUnit, wireId } from '../interop/spire/server-unit.ts';
import type { Site } from '../interop/spire/site.ts';
import type { Load } from './load.ts';

/** A kind of work, and the part of SPIRE's processor time that it may take. */
export interface ServerWork {
  readonly what: string;
  readonly aim: number;
  readonly load: Load;
}

const LANES = 4;
const ENTRIES = 50;
const mask: MessageInitShape<typeof types.EntryMaskSchema> = { spiffeId: true, selectors: true, revisionNumber: true };

const newRequest = async (uri?: string): Promise<Uint8Array<ArrayBuffer>> => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return new Uint8Array(await makeCsr(localSigner(privateKey), uri === undefined ? {} : { uri }));
};

const requireOk = (results: readonly { status?: types.Status | undefined }[]): void => {
  const refused = results.find(({ status }) => status?.code !== 0);
  if (refused) throw new Error(`refused: ${refused.status?.message}`);
};

/** An agent with entries, and each kind of work ready to be done. */
export async function serverWork(site: Site, server: ServerUnit): Promise<ServerWork[]> {
  const { svid } = await attest(await remoteApi(site, server), tokenProof(await server.joinToken()));
  const { results } = await server.api.entry.batchCreateEntry({
    entries: Array.from({ length: ENTRIES }, (_, index) => ({
      spiffeId: wireId(server.id(`/bench/${index}`)),
      parentId: wireId(String(svid.id)),
      selectors: [{ type: 'unix', value: `uid:${100_000 + index}` }],
    })),
  });
  requireOk(results);
  const ids = results.map(({ entry }) => entry?.id ?? '');
  const agents = await Promise.all(Array.from({ length: LANES }, () => remoteApi(site, server, svid)));
  const agent = (lane: number) => agents[lane % LANES] ?? (agents[0] as (typeof agents)[0]);
  const params: MessageInitShape<typeof svidV1.NewX509SVIDParamsSchema>[] = [];
  for (const entryId of ids) params.push({ entryId, csr: await newRequest() });
  const newX509 = async (lane: number, count: number): Promise<void> =>
    requireOk((await agent(lane).svid.batchNewX509SVID({ params: params.slice(0, count) })).results);
  const mintRequest = await newRequest(server.id('/bench/minted'));
  await untilKnown(() => newX509(0, ENTRIES));
  return [
    {
      what: 'X509-SVID, 4 calls of 50',
      aim: 0.5,
      load: { width: LANES, units: ENTRIES, call: (lane) => newX509(lane, ENTRIES) },
    },
    { what: 'X509-SVID, one at a time', aim: 0.5, load: { width: 1, units: 1, call: (lane) => newX509(lane, 1) } },
    {
      what: 'JWT-SVID, 4 calls',
      aim: 0.33,
      load: {
        width: LANES,
        units: 1,
        call: (lane) => agent(lane).svid.newJWTSVID({ entryId: ids[lane] ?? '', audience: ['bench'] }),
      },
    },
    {
      what: 'X509-SVID minted on the admin socket, 4 calls',
      aim: 0.5,
      load: { width: LANES, units: 1, call: () => server.api.svid.mintX509SVID({ csr: mintRequest }) },
    },
    {
      what: `${ENTRIES} authorized entries, 4 calls`,
      aim: 0.33,
      load: { width: LANES, units: 1, call: (lane) => agent(lane).entry.getAuthorizedEntries({ outputMask: mask }) },
    },
    {
      what: 'join token and attestation with it, 4 agents',
      aim: 0.5,
      load: { width: LANES, units: 1, call: () => join(server) },
    },
  ];
}

/** As a new agent does it: over a new connection. */
async function join(server: ServerUnit): Promise<void> {
  const closing: (() => unknown)[] = [];
  const api = await remoteApi({ defer: (close: () => unknown) => void closing.push(close) } as Site, server);
  try {
    await attest(api, tokenProof(await server.joinToken()));
  } finally {
    for (const close of closing) close();
  }
}

/** SPIRE answers from a cache that it fills every few seconds. */
async function untilKnown(call: () => Promise<void>): Promise<void> {
  for (const end = Date.now() + 30_000; ; ) {
    try {
      return await call();
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((done) => setTimeout(done, 200));
    }
  }
}

// Many agents in one process, for the storm: they attest, hold their stream to the server, and come back when it is gone.
// Started by storm.ts, with which it talks over the channel of `fork`.
import { setTimeout as sleep } from 'node:timers/promises';
import { BundleSet, parseCertificate, parseCertificatesPem, TrustBundle, TrustDomain, X509Svid } from '@steeple/client';
import { authorizeId, spiffeChannelCredentials, systemNow } from '@steeple/client/tls';
import { serverId } from '@steeple/core';
import { backoff, createClient, GrpcError, heedRetryInfo } from '@steeple/proto/grpc';
import { agentV1, entryV1 } from '@steeple/proto/server-api';
import { syncV1 } from '@steeple/proto/steeple-api';
import { csrOf, newKey } from '../../interop/spire/remote.ts';
import { percentile } from '../figures.ts';

export interface StormOrder {
  readonly address: string;
  readonly trustDomain: string;
  /** PEM. */
  readonly roots: string;
  readonly tokens: readonly string[];
  /** SPIRE's server has no such stream. */
  readonly watches: boolean;
}

export interface StormReport {
  /** Seconds until the last one was served. */
  readonly all: number;
  readonly p50: number;
  /** Answers that asked to come again later. */
  readonly sentAway: number;
  /** Other failures on the way: connections that were not made or that broke. */
  readonly failed: number;
}

const RETRY = { initial: 0.2, max: 5, multiplier: 2, jitter: 0.2 };
const svids: X509Svid[] = [];
let order: StormOrder;
let sentAway = 0;
let failed = 0;

/** Again and again until it works, as an agent does. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await work();
    } catch (error) {
      const own = backoff(failures, Math.random(), RETRY);
      const wait = heedRetryInfo(error, own);
      if (error instanceof GrpcError && error.details.length > 0) sentAway += 1;
      else failed += 1;
      await sleep(wait * 1000);
    }
  }
}

function settings(svid?: X509Svid): Parameters<typeof createClient>[1] {
  const trustDomain = TrustDomain.parse(order.trustDomain);
  const x509Authorities = parseCertificatesPem(order.roots).map((certificate) => ({ certificate, tainted: false }));
  const credentials = spiffeChannelCredentials({
    bundles: BundleSet.of(TrustBundle.of(trustDomain, { x509Authorities })),
    authorize: authorizeId(serverId(trustDomain)),
    now: systemNow,
    svid: svid && { x509Svid: () => svid },
  });
  const options = { 'grpc.initial_reconnect_backoff_ms': 200, 'grpc.max_reconnect_backoff_ms': 5000 };
  return { address: order.address, credentials, options };
}

async function attest(token: string): Promise<void> {
  const key = newKey();
  const csr = await csrOf(key);
  await patiently(async () => {
    const client = createClient(agentV1.Agent, settings());
    const data = { type: 'join_token', payload: new TextEncoder().encode(token) };
    const request = async function* () {
      yield { step: { case: 'params' as const, value: { data, params: { csr } } } };
    };
    try {
      for await (const { step } of client.attestAgent(request(), { deadline: 60 })) {
        if (step.case !== 'result') throw new Error('a join token is not challenged');
        svids.push(X509Svid.fromParts((step.value.svid?.certChain ?? []).map(parseCertificate), key));
      }
    } finally {
      client.close();
    }
  });
}

/** Holds the stream and asks for the entries; again whenever the server was gone. */
async function stay(svid: X509Svid, served: () => void): Promise<never> {
  const shared = settings(svid);
  const [sync, entries] = [createClient(syncV1.Sync, shared), createClient(entryV1.Entry, shared)];
  const ask = async function* () {
    yield {};
  };
  const askAll = async (): Promise<void> => {
    for await (const _ of entries.syncAuthorizedEntries(ask(), { deadline: 60 })) break;
    served();
  };
  for (;;) {
    await patiently(async () => {
      if (!order.watches) {
        await askAll();
        await sleep(3_600_000);
      }
      for await (const { event } of sync.watch({})) if (event.case === 'ready') await patiently(askAll);
    });
  }
}

let waiting = new Set<number>();
let times: number[] = [];
let from = 0;
let done: () => void = () => {};

function round(count: number): Promise<StormReport> {
  [times, waiting, from] = [[], new Set(Array.from({ length: count }, (_, n) => n)), performance.now()];
  return new Promise((resolve) => {
    done = () => resolve({ all: Math.max(...times), p50: percentile(times, 0.5), sentAway, failed });
    [sentAway, failed] = [0, 0];
  });
}

function served(index: number): void {
  if (!waiting.delete(index)) return;
  times.push((performance.now() - from) / 1000);
  if (waiting.size === 0) done();
}

const commands: Record<string, () => Promise<StormReport>> = {
  attest: () => {
    const all = round(order.tokens.length);
    for (const [index, token] of order.tokens.entries()) void attest(token).then(() => served(index));
    return all;
  },
  connect: () => {
    const all = round(svids.length);
    for (const [index, svid] of svids.entries()) void stay(svid, () => served(index));
    return all;
  },
  /** The server is about to go; all are waited for anew. */
  again: () => round(svids.length),
};

process.on('message', (message: { command: string; order?: StormOrder }) => {
  order = message.order ?? order;
  void commands[message.command]?.().then((report) => process.send?.(report));
  process.send?.('begun');
});

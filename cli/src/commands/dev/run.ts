import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { agentConfigOf, createAgent } from '@steeple/agent';
import { createLogger, ensureDir, type LogLevel, systemClock } from '@steeple/daemon';
import { configOf } from '@steeple/daemon/config';
import { agentV1, bundleV1, entryV1 } from '@steeple/proto/server-api';
import { createServer, parseServerConfig } from '@steeple/server';
import { pemOf } from '../../bundle-text.ts';
import { withClient } from '../../connect.ts';
import {
  agentSocketOf,
  bundleFileOf,
  type DevSettings,
  devAgent,
  devServer,
  serverSocketOf,
} from '../../dev/dev-config.ts';
import { freePort } from '../../dev/free-port.ts';
import { text } from '../../flags.ts';
import { runDaemons } from '../../run-daemon.ts';
import { idText, trustDomain, type WireId } from '../../spiffe-id-flag.ts';
import type { CliContext, Options } from '../../verb.ts';

export async function run(options: Options, context: CliContext): Promise<void> {
  const kept = text(options, 'dataDir');
  const dir = kept === undefined ? await mkdtemp(join(tmpdir(), 'steeple-dev-')) : resolve(kept);
  try {
    await ensureDir(dir, 0o700);
    const settings = {
      dir,
      trustDomain: trustDomain(text(options, 'trustDomain') ?? 'example.org', '--trust-domain'),
      port: await freePort(),
      logLevel: text(options, 'logLevel') ?? 'warn',
    };
    await serve(settings, context);
  } finally {
    if (kept === undefined) await rm(dir, { recursive: true, force: true });
  }
}

async function serve(settings: DevSettings, context: CliContext): Promise<void> {
  const rim = { clock: systemClock, logger: createLogger({ level: settings.logLevel as LogLevel }) };
  const server = createServer(parseServerConfig(configOf(devServer(settings)), context.env), rim);
  await runDaemons([server], context, async () => {
    const token = await prepareAgent(settings);
    const agent = createAgent(agentConfigOf(devAgent(settings, token), context.env), rim);
    await runDaemons([agent], context, async () => {
      const id = await registerUser(settings, context);
      context.out(welcome(settings, id));
    });
  });
}

/** Puts the bundle where the agent reads it, and makes a token for it. */
async function prepareAgent({ dir }: DevSettings): Promise<string> {
  const socket = serverSocketOf(dir);
  const bundle = await withClient(bundleV1.Bundle, socket, (client) => client.getBundle({}));
  await writeFile(bundleFileOf(dir), `${pemOf(bundle)}\n`, { mode: 0o600 });
  const { value } = await withClient(agentV1.Agent, socket, (client) => client.createJoinToken({ ttl: 600 }));
  return value;
}

/** An entry for every process of the user who runs this. */
async function registerUser({ dir, trustDomain: domain }: DevSettings, context: CliContext): Promise<string> {
  const socket = serverSocketOf(dir);
  const { agents } = await withClient(agentV1.Agent, socket, (client) => client.listAgents({}));
  const newest = agents.toSorted((a, b) => Number(b.x509svidExpiresAt - a.x509svidExpiresAt))[0];
  if (newest?.id === undefined) throw new Error('the agent has not joined');
  const spiffeId: WireId = { trustDomain: domain, path: `/dev/${context.userName.replace(/[^A-Za-z0-9._-]/g, '-')}` };
  const entry = { spiffeId, parentId: newest.id, selectors: [{ type: 'unix', value: `uid:${context.uid}` }] };
  const { results } = await withClient(entryV1.Entry, socket, (client) =>
    client.batchCreateEntry({ entries: [entry] }),
  );
  const status = results[0]?.status;
  const alreadyExists = 6;
  if (status?.code !== 0 && status?.code !== alreadyExists)
    throw new Error(`registering you failed: ${status?.message}`);
  return idText(spiffeId);
}

const welcome = ({ dir, trustDomain: domain }: DevSettings, id: string): string => `
Trust domain ${domain} is up. Every process of yours is ${id}.

  export SPIFFE_ENDPOINT_SOCKET=unix://${agentSocketOf(dir)}
  export STEEPLE_SERVER_SOCKET=${serverSocketOf(dir)}

Then try:
  steeple api fetch x509
  steeple api fetch jwt --audience my-service
  steeple entry create --spiffe-id spiffe://${domain}/web --selector unix:path:/usr/bin/curl

Ctrl+C stops it${dir.startsWith(tmpdir()) ? ' and removes everything' : ''}.`;

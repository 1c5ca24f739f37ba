// `api watch` stays until it is interrupted: a process of its own, which sees an identity come, change and go.
import { Process } from '../../stack/process.ts';
import { type Case, ensure } from '../case.ts';
import { spireProgram } from '../peers/spire.ts';
import { eventually } from '../spire/checks.ts';
import type { Maker } from '../spire/maker.ts';
import { Site } from '../spire/site.ts';

const ours = new URL('../../../cli/src/bin/spire-agent.ts', import.meta.url).pathname;

async function watching(site: Site, commands: Maker, socket: string): Promise<Process> {
  const words = ['api', 'watch', '-socketPath', socket];
  const [path, args] =
    commands === 'spire'
      ? [await spireProgram('spire-agent'), words]
      : [process.execPath, ['--disable-warning=ExperimentalWarning', ours, ...words]];
  return site.watch(new Process('api watch', path, args));
}

/** What was said, with its exit code. */
async function said(daemons: Maker, commands: Maker): Promise<{ text: string; code: number }> {
  const site = await Site.open();
  try {
    const server = await site.server(daemons);
    const agent = await site.agent(daemons, server);
    const watch = await watching(site, commands, agent.socket);
    await watch.line(/no identity issued/);
    const self = [`unix:uid:${process.getuid?.()}`];
    const entry = await server.createEntry(server.id('/first'), agent.id, self);
    await watch.line(/Received 1 svid after/, 40);
    await server.createEntry(server.id('/second'), agent.id, self);
    await watch.line(/Received 2 svids after/, 40);
    const both = watch.output.length;
    await server.deleteEntry(entry.id);
    await watch.line(/Received 1 svid after/, 40, both);
    watch.child.kill('SIGINT');
    const code = await eventually('it ends', async () => (watch.running ? undefined : await watch.ended), 10);
    return { text: masked(watch.output), code };
  } finally {
    await site.close(false);
  }
}

/** Every kind of line once, in the order of first appearance: how often something is tried again is not compared. */
const masked = (text: string): string => {
  const lines = text
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? \+0000 UTC/g, '<TIME>')
    .replace(/(svids? after )\S+/g, '$1<DURATION>')
    .split('\n');
  return [...new Set(lines)].join('\n');
};

export const watchCases: readonly Case[] = (['spire', 'steeple'] as const).map((daemons) => ({
  name: `cli [api watch, ${daemons} daemons]`,
  run: async () => {
    const [theirs, own] = [await said(daemons, 'spire'), await said(daemons, 'steeple')];
    ensure(own.text === theirs.text, `the same words:\n--- SPIRE\n${theirs.text}\n--- ours\n${own.text}`);
    ensure(own.code === theirs.code, `the same exit code: ${own.code}, not ${theirs.code}`);
  },
}));

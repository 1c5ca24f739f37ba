// Writes docs/config.md, the reference of both configuration files, from their schemas and from the words in this folder.
// `--check` only tells whether it is current. A key without words is an error, and so are words without a key.
import { readFileSync, writeFileSync } from 'node:fs';
import { agentFileSchema } from '@steeple/agent';
import { serverConfigSchema } from '@steeple/server';
import { agentWords } from './config-reference/agent-words.ts';
import { referenceOf } from './config-reference/reference.ts';
import { serverWords } from './config-reference/server-words.ts';

const page = new URL('../docs/config.md', import.meta.url);

const INTRO = `# Configuration

The server reads \`server.conf\`, the agent \`agent.conf\`: HCL as SPIRE's users know it, or the same keys as YAML or JSON. The
keys, their meaning and their defaults are SPIRE's unless it says *Not in SPIRE*. An unknown key is refused, with the one that
was probably meant. A duration is a text such as \`"90s"\` or \`"1h30m"\`. Numbers and switches may also be written as texts.
\`steeple server validate\` and \`steeple agent validate\` judge a file without running it.

This page is made from the program (\`node scripts/config-reference.ts\`).`;

/** The page as it should be, and what stands in the way. */
export function configReference(): { readonly markdown: string; readonly problems: readonly string[] } {
  const parts = [
    referenceOf({
      file: 'server.conf',
      schema: serverConfigSchema,
      words: serverWords,
      kinds: {
        DataStore: 'datastore',
        KeyManager: 'key-manager',
        NodeAttestor: 'node-verifier',
        UpstreamAuthority: 'upstream-authority',
        BundlePublisher: 'bundle-publisher',
        Notifier: 'notifier',
      },
    }),
    referenceOf({
      file: 'agent.conf',
      schema: agentFileSchema,
      words: agentWords,
      kinds: {
        KeyManager: 'key-manager',
        NodeAttestor: 'node-prover',
        WorkloadAttestor: 'workload-attestor',
        SVIDStore: 'svid-store',
      },
    }),
  ];
  return {
    markdown: `${[INTRO, ...parts.map(({ markdown }) => markdown)].join('\n\n')}\n`,
    problems: parts.flatMap(({ problems }) => problems),
  };
}

if (import.meta.main) {
  const { markdown, problems } = configReference();
  const isCurrent = readFileSync(page, { encoding: 'utf8', flag: 'a+' }) === markdown;
  for (const problem of problems) console.error(problem);
  if (process.argv.includes('--check')) {
    if (!isCurrent) console.error('docs/config.md is out of date; run: node scripts/config-reference.ts');
    if (!isCurrent || problems.length > 0) process.exitCode = 1;
  } else {
    writeFileSync(page, markdown);
  }
}

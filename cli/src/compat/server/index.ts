import type { CompatProgram } from '../command.ts';
import { agentCommands } from './agent.ts';
import { authorityCommands } from './authority.ts';
import { bundleCommands } from './bundle.ts';
import { entryCommands } from './entry.ts';
import { federationCommands } from './federation.ts';
import { mintCommands } from './mint.ts';
import { otherCommands } from './other.ts';
import { runServer, validateServer } from './run.ts';
import { witMint } from './wit-mint.ts';

/** The server's program; the environment may add commands of features that are not finished. */
export const spireServer = (env: NodeJS.ProcessEnv): CompatProgram => ({
  name: 'spire-server',
  commands: [
    ...agentCommands,
    ...bundleCommands,
    ...entryCommands,
    ...federationCommands,
    ...authorityCommands,
    ...otherCommands,
    ...mintCommands,
    runServer,
    validateServer,
    ...((env['SPIRE_SERVER_FFLAGS'] ?? '').split(' ').includes('wit-svid') ? [witMint] : []),
  ],
});

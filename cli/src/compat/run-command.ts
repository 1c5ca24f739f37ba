// `run` and `validate` of either program.
import { ConfigError, formatProblem } from '@steeple/daemon';
import type { ConfigDocument } from '@steeple/daemon/config';
import { type Daemon, runDaemons } from '../run-daemon.ts';
import type { OwnCommand } from './command.ts';
import { errorText } from './command-error.ts';
import { type DaemonFlags, flagsOfDaemon, readDaemonConfig } from './daemon-config.ts';
import type { FlagValues } from './go/flag-set.ts';
import type { CompatIo } from './io.ts';

export interface DaemonProgram extends DaemonFlags {
  /** Judges a configuration without doing anything. */
  readonly check: (document: ConfigDocument, io: CompatIo) => Promise<void>;
  /** Puts the daemon together; nothing is opened yet. */
  readonly create: (document: ConfigDocument, io: CompatIo) => Promise<Daemon>;
}

export const runCommand = (program: DaemonProgram): OwnCommand => ({
  path: 'run',
  synopsis: `Runs the ${program.section}`,
  on: 'nothing',
  helpTail: true,
  repeatsFlagErrors: true,
  flags: flagsOfDaemon(program),
  run: async (flags, io) => {
    try {
      const daemon = await program.create(await readDaemonConfig(program, flags), io);
      await runDaemons([daemon], io);
      return 0;
    } catch (error) {
      io.err(`${problemText(error)}\n`);
      return 1;
    }
  },
});

export const validateCommand = (program: DaemonProgram): OwnCommand => ({
  path: 'validate',
  synopsis: `Validates a SPIRE ${program.section} configuration file`,
  on: 'nothing',
  helpTail: true,
  repeatsFlagErrors: true,
  flagErrorPrefix: `SPIRE ${program.section} configuration file is invalid: `,
  flags: flagsOfDaemon(program),
  run: (flags, io) => validate(program, flags, io),
});

const validate = async (program: DaemonProgram, flags: FlagValues, io: CompatIo): Promise<number> => {
  try {
    await program.check(await readDaemonConfig(program, flags), io);
    io.out(`SPIRE ${program.section} configuration file is valid.\n`);
    return 0;
  } catch (error) {
    io.err(`SPIRE ${program.section} configuration file is invalid: ${problemText(error)}\n`);
    return 1;
  }
};

const problemText = (error: unknown): string =>
  error instanceof ConfigError ? error.problems.map(formatProblem).join('\n') : errorText(error);

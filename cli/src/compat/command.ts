import type { Call } from './call.ts';
import type { FlagSpec, FlagValues } from './go/flag-set.ts';
import type { CompatIo } from './io.ts';
import type { SocketKind } from './sockets.ts';

interface Declared {
  /** As it is typed: `agent ban`. */
  readonly path: string;
  /** How its usage text calls it, where that is not its path. */
  readonly title?: string;
  readonly synopsis: string;
  readonly flags: readonly FlagSpec[];
  /** Its help ends with what the flag reader says when it is asked for help. */
  readonly helpTail?: boolean;
  /** It tells what is wrong with its flags once more below the usage text. */
  readonly repeatsFlagErrors?: boolean;
  /** What it puts before that. */
  readonly flagErrorPrefix?: string;
  /** What it puts before all its other errors, where that is not what its kind does. */
  readonly errorPrefix?: string;
}

/** A command that calls a service on a socket. */
export interface CallCommand extends Declared {
  /** Which socket it calls, and how it tells of errors. */
  readonly on: SocketKind;
  /** A command of the Workload API that has no `-timeout`. */
  readonly withoutTimeout?: boolean;
  /** The flags that choose its socket, where they are not those of its kind. */
  readonly sockets?: readonly FlagSpec[];
  readonly run: (call: Call) => Promise<void>;
}

/** A command of its own kind: it runs a daemon or judges its configuration. */
export interface OwnCommand extends Declared {
  readonly on: 'nothing';
  /** Returns the exit code. */
  readonly run: (flags: FlagValues, io: CompatIo) => Promise<number>;
}

export type CompatCommand = CallCommand | OwnCommand;

export interface CompatProgram {
  readonly name: 'spire-server' | 'spire-agent';
  readonly commands: readonly CompatCommand[];
}

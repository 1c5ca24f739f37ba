// What a command is: declared in tree/, so that `--help` and completions load nothing, and run from commands/.

export interface Flag {
  /** As the user types it: `--spiffe-id <id>`, or `--admin` for a switch. */
  readonly flags: string;
  readonly help: string;
  readonly required?: boolean;
  /** May be given several times. */
  readonly list?: boolean;
  /** The only values it takes. */
  readonly choices?: readonly string[];
}

export type Options = Readonly<Record<string, unknown>>;

export type Run = (options: Options, context: CliContext, args: readonly string[]) => Promise<void>;

export interface Verb {
  readonly name: string;
  readonly summary: string;
  /** Positional arguments, as commander writes them: `[id]`. */
  readonly args?: readonly string[];
  readonly flags: readonly Flag[];
  /** Takes all words behind it as they are, flags and `--help` included. */
  readonly raw?: boolean;
  readonly load: () => Promise<Run>;
}

export interface Noun {
  readonly name: string;
  readonly summary: string;
  readonly verbs: readonly Verb[];
  readonly nouns?: readonly Noun[];
}

/** What a command may touch of the world. */
export interface CliContext {
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  /** Standard output is a terminal that shows colours. */
  readonly colour: boolean;
  readonly uid: number;
  readonly userName: string;
  out(text: string): void;
  err(text: string): void;
  /** Unix seconds. */
  now(): number;
}

/** What a command of the compatibility mode may touch of the world. Texts are written as they are. */
export interface CompatIo {
  readonly env: NodeJS.ProcessEnv;
  out(text: string): void;
  err(text: string): void;
  /** All of standard input. */
  stdin(): Promise<Buffer>;
  /** Unix seconds. */
  now(): number;
  /** Aborted by the signals that end a program. */
  readonly signal: AbortSignal;
}

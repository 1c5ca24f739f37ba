/** An error that the user can act on: its text is all that is shown. */
export class UserError extends Error {
  /** The next command or change that would help, if there is one. */
  readonly advice: string | undefined;

  constructor(message: string, advice?: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UserError';
    this.advice = advice;
  }
}

/** The command's outcome is a failure although it ran to its end, such as a batch with a refused item. */
export class Failed extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

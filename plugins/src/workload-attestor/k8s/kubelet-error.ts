/** The kubelet did not give its pods. Holds neither tokens nor keys. */
export class KubeletError extends Error {
  /** Whether asking again, with nothing changed, may help. */
  readonly passing: boolean;

  constructor(message: string, passing: boolean, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'KubeletError';
    this.passing = passing;
  }
}

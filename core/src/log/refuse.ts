/** A log, a proof or a note is not what it claims to be. */
export class LogError extends Error {
  override readonly name = 'LogError';
}

export function refuse(message: string): never {
  throw new LogError(message);
}

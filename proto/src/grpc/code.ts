/** gRPC status codes by the names gRPC gives them. */
export const Code = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

export type Code = (typeof Code)[keyof typeof Code];

/** A code that means failure. */
export type ErrorCode = Exclude<Code, 0>;

const names = new Map<number, string>(Object.entries(Code).map(([name, code]) => [code, printed(name)]));

/** The code as gRPC tools print it: `PermissionDenied`, `OK`; `Code(99)` for a number that is none. */
export function statusName(code: number): string {
  return names.get(code) ?? `Code(${code})`;
}

function printed(name: string): string {
  if (name === 'OK') return name;
  if (name === 'CANCELLED') return 'Canceled';
  return name.toLowerCase().replace(/(?:^|_)([a-z])/g, (_all, letter: string) => letter.toUpperCase());
}

/** The number as one of the error codes; what is none becomes UNKNOWN, as gRPC asks of receivers. */
export function errorCodeOf(code: unknown): ErrorCode {
  return typeof code === 'number' && code !== 0 && names.has(code) ? (code as ErrorCode) : Code.UNKNOWN;
}

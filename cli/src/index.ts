// The command line as a function; the executable is bin/steeple.ts.
export { main } from './main.ts';
export type { CliContext } from './verb.ts';

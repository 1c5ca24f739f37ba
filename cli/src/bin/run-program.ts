/** Runs a program to its end: the exit code says too whether what it printed could be written. */
export async function runProgram(program: () => Promise<number>): Promise<never> {
  // Whoever reads the log may go away; identities are issued all the same.
  process.stderr.on('error', () => {});
  let unwritten: NodeJS.ErrnoException | undefined;
  process.stdout.on('error', (error) => {
    unwritten ??= error;
  });
  process.exitCode = await program();
  // Failed writes are reported a moment later.
  await new Promise(setImmediate);
  if (unwritten !== undefined) {
    // A pipe that its reader closed is no news to anybody.
    if (unwritten.code !== 'EPIPE') process.stderr.write(`error: the output cannot be written: ${unwritten.message}\n`);
    process.exitCode = 1;
  }
  // A daemon that has stopped may still have idle sockets; the command is over.
  process.exit();
}

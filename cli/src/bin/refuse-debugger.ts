/**
 * Keeps SIGUSR1 from opening Node's debugger: through it every user of the host could run code as this process. SPIRE
 * reads plugin files again on that signal, so operators do send it. To be called before anything else.
 */
export function refuseDebugger(): void {
  process.on('SIGUSR1', () => {});
}

/** A real engine of containers, as the cases use it. */
export interface ContainerEngine extends AsyncDisposable {
  readonly name: string;
  /** Of its API, a path. */
  readonly socketPath: string;
  /** The control group in which its containers are, from the root. */
  readonly parentGroup: string;
  /** As its command line names the image that was imported. */
  readonly image: string;
  /** Runs its command line to the end, and gives what it says. */
  command(...args: readonly string[]): Promise<string>;
  /** Ends whatever serves the API at once, without a farewell. */
  kill(): Promise<void>;
  /** Serves the API again. */
  serve(): Promise<void>;
}

/** The first process of a container, as the machine counts. */
export async function pidOf(engine: ContainerEngine, container: string): Promise<number> {
  return Number(await engine.command('inspect', '--format', '{{.State.Pid}}', container));
}

/** The control group of a container, from the root. */
export async function idOf(engine: ContainerEngine, container: string): Promise<string> {
  return await engine.command('inspect', '--format', '{{.Id}}', container);
}

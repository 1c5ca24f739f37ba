import type { Logger } from './logger.ts';

/** A long-running part of a process. It ends when its signal aborts. */
export type TaskFunction = (signal: AbortSignal) => Promise<void>;

interface Task {
  readonly name: string;
  readonly abort: AbortController;
  readonly settled: Promise<void>;
}

/**
 * The long-running parts of a process, living and ending together.
 *
 * 1. Every task has its own signal; nothing else ends it.
 * 2. The first failure stops all tasks and is what {@link wait} rejects with; later failures are only logged.
 * 3. Tasks are stopped one by one, the last started first, each awaited before the next.
 * 4. An error after a task's own signal aborted is an `AbortError` or is logged: stopping never fails.
 * 5. No task starts once stopping has begun.
 */
export class TaskGroup implements AsyncDisposable {
  readonly #logger: Logger;
  readonly #tasks = new Set<Task>();
  readonly #forget: () => void;
  #failure: { readonly error: unknown } | undefined;
  #stopping: Promise<void> | undefined;

  /** The group stops when `signal` aborts. */
  constructor(logger: Logger, signal?: AbortSignal) {
    this.#logger = logger;
    const onAbort = () => void this.stop();
    this.#forget = () => signal?.removeEventListener('abort', onAbort);
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
  }

  /** Starts a task. Throws once stopping has begun. */
  run(name: string, task: TaskFunction): void {
    if (this.#stopping !== undefined) throw new Error(`task ${name} cannot start: the group is stopping`);
    const abort = new AbortController();
    const entry: Task = {
      name,
      abort,
      settled: this.#follow(name, abort.signal, task).then(() => void this.#tasks.delete(entry)),
    };
    this.#tasks.add(entry);
  }

  /** Resolves when no task is left; rejects with the first failure, once the others have ended too. */
  async wait(): Promise<void> {
    while (this.#tasks.size > 0) await Promise.all([...this.#tasks].map((task) => task.settled));
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Ends all tasks, the last started first. Never rejects; may be called again. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stopAll(): Promise<void> {
    this.#forget();
    await Promise.resolve(); // a task that fails while it is being started is in the set by then
    for (const task of [...this.#tasks].toReversed()) {
      task.abort.abort();
      await task.settled;
    }
  }

  async #follow(name: string, signal: AbortSignal, task: TaskFunction): Promise<void> {
    try {
      await task(signal);
    } catch (error) {
      if (signal.aborted && isAbortError(error, signal)) return;
      this.#logger.error('Task failed', { task: name, error });
      if (signal.aborted) return;
      this.#failure ??= { error };
      void this.stop();
    }
  }
}

function isAbortError(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason || (error instanceof Error && error.name === 'AbortError');
}

import { IssuerError } from '@steeple/core';
import { reasonOf } from '@steeple/daemon';
import { askEngine, type EngineAnswer } from './ask-engine.ts';
import { type InspectedContainer, parseContainer } from './inspected-container.ts';

/** The version of Docker's Engine API that this is written for; what is read of it is the same since 1.24. */
const NEWEST = '1.51';
const OLDEST = '1.24';

/** Longest text of an engine's that is passed on. */
const LONGEST_MESSAGE = 200;

/** The engine could not answer now, which may be otherwise in a moment. */
export class EngineBusyError extends IssuerError {
  constructor(message: string) {
    super('internal', message);
    this.name = 'EngineBusyError';
  }
}

/** A container engine with Docker's API: Docker itself, or podman. */
export class Engine {
  readonly socketPath: string;
  readonly #fixedVersion: string | undefined;
  readonly #atOnce: number;
  #version: string | undefined;
  #asking = 0;

  /**
   * @param version - of the API; negotiated if undefined
   * @param atOnce - questions that it may be asked at the same time
   */
  constructor(socketPath: string, version?: string, atOnce = Number.POSITIVE_INFINITY) {
    this.socketPath = socketPath;
    this.#fixedVersion = version;
    this.#atOnce = atOnce;
  }

  /**
   * What the engine says of a container of that very id.
   *
   * @throws {EngineBusyError} if it cannot be reached or has a fault
   * @throws {IssuerError} `failed-precondition` if it has no such container, `internal` for an answer that is none
   */
  async inspect(containerId: string, signal: AbortSignal): Promise<InspectedContainer> {
    const version = this.#fixedVersion ?? this.#version ?? (await this.#negotiate(signal));
    const target = `/v${version}/containers/${encodeURIComponent(containerId)}/json`;
    const { status, body } = await this.#ask(target, signal);
    if (status === 404) throw this.#error('failed-precondition', 'has no such container');
    if (status !== 200) {
      // Another engine, or another version of it, may be there now.
      this.#version = undefined;
      const message = `the engine at ${this.socketPath} answered ${status}: ${messageIn(body)}`;
      throw new EngineBusyError(message);
    }
    const container = parseContainer(body, (what) => this.#error('internal', `answered ${what}`));
    // A name or the beginning of an id would be answered too.
    if (container.id !== containerId) throw this.#error('internal', 'answered about another container');
    return container;
  }

  async #negotiate(signal: AbortSignal): Promise<string> {
    const { status, headers, body } = await this.#ask('/_ping', signal);
    if (status !== 200) {
      throw new EngineBusyError(`the engine at ${this.socketPath} answered ${status}: ${messageIn(body)}`);
    }
    const offered = headers['api-version'];
    const spoken = typeof offered === 'string' && /^\d{1,3}\.\d{1,3}$/.test(offered) ? offered : OLDEST;
    this.#version = isOlder(spoken, NEWEST) ? spoken : NEWEST;
    return this.#version;
  }

  async #ask(target: string, signal: AbortSignal): Promise<EngineAnswer> {
    if (this.#asking >= this.#atOnce) {
      throw new EngineBusyError(`the engine at ${this.socketPath} has not answered ${this.#asking} questions yet`);
    }
    this.#asking += 1;
    try {
      return await askEngine(this.socketPath, target, signal);
    } catch (cause) {
      if (signal.aborted) throw cause;
      throw new EngineBusyError(`the engine at ${this.socketPath} cannot be asked: ${reasonOf(cause)}`);
    } finally {
      this.#asking -= 1;
    }
  }

  #error(code: 'failed-precondition' | 'internal', what: string): IssuerError {
    return new IssuerError(code, `the engine at ${this.socketPath} ${what}`);
  }
}

function isOlder(version: string, than: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [thanMajor = 0, thanMinor = 0] = than.split('.').map(Number);
  return major < thanMajor || (major === thanMajor && minor < thanMinor);
}

/** What an engine says of a failure. Never the whole answer: that of a container holds its environment. */
function messageIn(body: string): string {
  try {
    const { message } = JSON.parse(body) as { message?: unknown };
    if (typeof message === 'string') return message.replaceAll(/\p{Cc}+/gu, ' ').slice(0, LONGEST_MESSAGE);
  } catch {}
  return 'no reason given';
}

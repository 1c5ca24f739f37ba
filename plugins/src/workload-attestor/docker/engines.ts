import { stat } from 'node:fs/promises';
import { IssuerError } from '@steeple/core';
import { reasonOf } from '@steeple/daemon';
import type { ContainerLocation } from '../container/locate-container.ts';
import { Engine, EngineBusyError } from './engine.ts';

export interface EngineSockets {
  readonly docker: string;
  readonly podman: string;
  /** With the user's number in it. Undefined: users' own engines are not asked. */
  readonly rootlessPodman: ((uid: number) => string) | undefined;
}

/** Users' engines that are remembered. */
const REMEMBERED = 1000;
/** Questions to one user's engine at the same time: one that does not answer must not take up all there can be. */
const AT_ONCE = 8;

/**
 * Which engine is to be asked about a container.
 *
 * E1. What podman has named is asked from podman, in a login slice from that user's, all else from Docker.
 * E2. An engine answers for its owner's containers only: the socket belongs to the user in whose login slice the container
 *     is, and to root or the agent's user for a container anywhere else. So nobody's own engine speaks for another's.
 */
export class Engines {
  readonly #sockets: EngineSockets;
  readonly #version: string | undefined;
  readonly #known = new Map<string, Engine>();

  constructor(sockets: EngineSockets, version: string | undefined) {
    this.#sockets = sockets;
    this.#version = version;
  }

  /** @throws {IssuerError} `failed-precondition` for an engine that may not answer, `EngineBusyError` if there is none */
  async engineOf(location: ContainerLocation): Promise<Engine> {
    const socketPath = this.#socketOf(location);
    const owner = await ownerOf(socketPath);
    const { loginUid } = location;
    const allowed = loginUid === undefined ? [0, process.geteuid?.()] : [loginUid];
    if (!allowed.includes(owner)) {
      const whose = loginUid === undefined ? 'which is not of a user who has logged in' : `of user ${loginUid}`;
      const message = `the engine at ${socketPath} belongs to user ${owner} and may not answer for a container ${whose}`;
      throw new IssuerError('failed-precondition', message);
    }
    const atOnce = loginUid === undefined ? undefined : AT_ONCE;
    const known = this.#known.get(socketPath) ?? new Engine(socketPath, this.#version, atOnce);
    if (this.#known.size >= REMEMBERED) this.#known.clear();
    this.#known.set(socketPath, known);
    return known;
  }

  #socketOf({ podman, loginUid }: ContainerLocation): string {
    const { docker, podman: rootful, rootlessPodman } = this.#sockets;
    if (!podman) return docker;
    if (loginUid === undefined) return rootful;
    if (rootlessPodman !== undefined) return rootlessPodman(loginUid);
    const message = `user ${loginUid} runs this container with an engine of their own, which may say of it what they like; set podman_socket_path_template to believe such engines`;
    throw new IssuerError('failed-precondition', message);
  }
}

async function ownerOf(socketPath: string): Promise<number> {
  try {
    return (await stat(socketPath)).uid;
  } catch (cause) {
    throw new EngineBusyError(`there is no engine at ${socketPath}: ${reasonOf(cause)}`);
  }
}

// A command of ours that must fail: run to its end, with what it said kept apart by stream.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';

const root = new URL('../../', import.meta.url).pathname;
const steeple = [
  '--disable-warning=ExperimentalWarning',
  '--max-semi-space-size=8',
  join(root, 'cli/src/bin/steeple.ts'),
];
const STACK_FRAME = /^\s+at .*[:(]\d+:\d+\)?$/m;

export interface Ended {
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end; `SIGKILL` as its code means that it never ended by itself. */
export function steepleEnds(args: readonly string[], options: { readonly uid?: number } = {}): Promise<Ended> {
  const limits = { ...options, timeout: 20_000, killSignal: 'SIGKILL', encoding: 'utf8' } as const;
  return new Promise((resolve) => {
    execFile(process.execPath, [...steeple, ...args], limits, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : (error.signal ?? error.code ?? 'unknown'), stdout, stderr }),
    );
  });
}

export function spawnSteeple(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [...steeple, ...args], { stdio: 'ignore' });
}

/** What a failing command says on standard error: it exits with 1, prints no result and never a stack. */
export async function refusal(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await steepleEnds(args);
  expect({ args, code, stdout: stdout.trim(), stderr }).toMatchObject({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^error: /m);
  expectNoStack(stderr);
  return stderr;
}

export function expectNoStack(output: string): void {
  expect(output).not.toMatch(STACK_FRAME);
}

/** A copy of a JSON configuration with other settings in one of its blocks; returns its path. */
export async function variant(
  source: string,
  target: string,
  block: 'server' | 'agent',
  settings: Readonly<Record<string, unknown>>,
): Promise<string> {
  const document = JSON.parse(await readFile(source, 'utf8')) as Record<string, Record<string, unknown>>;
  document[block] = { ...document[block], ...settings };
  await writeFile(target, JSON.stringify(document));
  return target;
}

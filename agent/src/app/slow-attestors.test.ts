import { formatSelector, parseSelector } from '@steeple/core';
import type { PeerCredentials } from '@steeple/daemon/listen';
import { noMetrics } from '@steeple/daemon/metrics';
import type { WorkloadAttestor } from '@steeple/plugins';
import { Code } from '@steeple/proto/grpc';
import { FakeClock, MemoryLogger } from '@steeple/test-kit';
import { describe, expect, it } from 'vitest';
import { turn } from '../testing/fixtures.ts';
import { type Attested, WorkloadAttestation } from './workload-attestation.ts';

const { signal } = new AbortController();
let pids = 100;

function peer(): PeerCredentials {
  pids += 1;
  return { pid: pids, uid: 1, gid: 1, startTime: '1', pidfd: undefined, isAlive: () => true, close: () => {} };
}

const unix: WorkloadAttestor = { type: 'unix', attest: async ({ pid }) => [parseSelector(`unix:uid:${pid}`)] };
/** Answers when it is told to. */
class Docker implements WorkloadAttestor {
  readonly type = 'docker';
  readonly asked: number[] = [];
  readonly #gate = Promise.withResolvers<void>();

  async attest({ pid }: PeerCredentials) {
    this.asked.push(pid);
    await this.#gate.promise;
    return [parseSelector('docker:label:app:web')];
  }

  answer(): void {
    this.#gate.resolve();
  }
}

function make(docker: WorkloadAttestor, concerned: readonly number[], waiting = 8192) {
  const [clock, logger] = [new FakeClock(), new MemoryLogger()];
  const attestation = new WorkloadAttestation({
    attestors: [unix, docker],
    couldMatter: (known, types) => types.has('docker') && concerned.some((pid) => known.has(`unix:uid:${pid}`)),
    clock,
    logger,
    timeout: 5,
    meter: { metrics: noMetrics, clock },
    limits: { running: 2, waiting },
  });
  return { clock, logger, attestation };
}

/** The limit of two questions, used up by callers whose identity depends on the answer. */
async function hanging(docker: Docker, waiting?: number) {
  const concerned = [peer(), peer(), peer()];
  const pids = concerned.map(({ pid }) => pid);
  const { attestation, ...more } = make(docker, pids, waiting);
  const waitingCalls = concerned.map((each) => attestation.attest(each, signal));
  for (const each of waitingCalls) each.catch(() => {});
  await turn();
  return { attestation, pids, waitingCalls, ...more };
}

const texts = ({ selectors }: Attested) => selectors.map(formatSelector);

describe('an attestor that hangs', () => {
  it('delays nobody whose identity cannot depend on it, however many wait for it (W5)', async () => {
    const { attestation } = await hanging(new Docker());
    const caller = peer();
    const found = await attestation.attest(caller, signal);
    expect(texts(found)).toEqual([`unix:uid:${caller.pid}`]);
    expect(found.failed).toEqual([]);
    expect(found.rest?.types).toEqual(new Set(['docker']));
    // Again and again, the same process too: its question to docker is still on.
    expect(texts(await attestation.attest(caller, signal))).toEqual([`unix:uid:${caller.pid}`]);
  });

  it('is asked about one process once at a time, however often that calls (L3)', async () => {
    const docker = new Docker();
    const { attestation } = make(docker, []);
    const caller = peer();
    for (let call = 0; call < 50; call++) await attestation.attest(caller, signal);
    expect(docker.asked).toEqual([caller.pid]);
  });

  it('keeps those waiting whose identity could depend on it, and then fails for them by name', async () => {
    const { waitingCalls, clock, logger } = await hanging(new Docker());
    await clock.advance(5);
    const [first] = waitingCalls;
    expect(await first).toMatchObject({ failed: ['docker'] });
    expect(logger.messages('warn')).toEqual(['A workload attestor failed']);
  });

  it('tells the rest when it is there', async () => {
    const docker = new Docker();
    const { attestation } = make(docker, []);
    const caller = peer();
    const { rest } = await attestation.attest(caller, signal);
    docker.answer();
    expect(await rest?.attested.then(texts)).toEqual([`unix:uid:${caller.pid}`, 'docker:label:app:web']);
  });

  it('tells of no rest what it found out about a process that has died since (W3)', async () => {
    const docker = new Docker();
    const { attestation } = make(docker, []);
    let alive = true;
    const { rest } = await attestation.attest({ ...peer(), isAlive: () => alive }, signal);
    alive = false;
    docker.answer();
    expect(await rest?.attested.then(texts)).toHaveLength(1);
  });

  it('lets nobody wait for a turn longer than it may hang (L1)', async () => {
    const { waitingCalls, clock } = await hanging(new Docker());
    for (let step = 0; step < 4; step++) await clock.advance(5);
    for (const call of waitingCalls) await expect(call).resolves.toMatchObject({ failed: ['docker'] });
  });

  it('turns away only whom its answer could concern when no room is left (W4)', async () => {
    const { attestation, pids } = await hanging(new Docker(), 1);
    await expect(attestation.attest(peer(), signal)).resolves.toMatchObject({ failed: ['docker'] });
    const concerned = peer();
    pids.push(concerned.pid);
    await expect(attestation.attest(concerned, signal)).rejects.toMatchObject({
      code: Code.UNAVAILABLE,
      message: 'too many callers at the same time',
    });
  });

  it('is not waited for alone: who is known by nobody waits', async () => {
    const broken: WorkloadAttestor = { type: 'broken', attest: () => Promise.reject(new Error('no')) };
    const docker = new Docker();
    const clock = new FakeClock();
    const attestation = new WorkloadAttestation({
      attestors: [broken, docker],
      couldMatter: () => false,
      clock,
      logger: new MemoryLogger(),
      timeout: 5,
      meter: { metrics: noMetrics, clock },
    });
    const asked = attestation.attest(peer(), signal);
    await turn();
    docker.answer();
    expect(await asked).toMatchObject({ failed: ['broken'], selectors: [{ type: 'docker' }] });
  });
});

describe('failures of an attestor', () => {
  it('are told once in a while, with their number, and never the end of a caller', async () => {
    const bad: WorkloadAttestor = { type: 'docker', attest: () => Promise.reject(new Error('the engine is away')) };
    const { attestation, logger, clock } = make(bad, []);
    for (let call = 0; call < 5; call++) await attestation.attest(peer(), signal);
    expect(logger.messages('warn')).toHaveLength(1);
    await clock.advance(11);
    await attestation.attest(peer(), signal);
    expect(logger.records.filter(({ level }) => level === 'warn').at(-1)?.fields).toMatchObject({
      attestor: 'docker',
      failuresBefore: 4,
    });
  });
});

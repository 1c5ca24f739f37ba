import { formatSelector, parseSelector } from '@steeple/core';
import type { PeerCredentials } from '@steeple/daemon/listen';
import { noMetrics } from '@steeple/daemon/metrics';
import type { WorkloadAttestor } from '@steeple/plugins';
import { Code } from '@steeple/proto/grpc';
import { FakeClock, MemoryLogger } from '@steeple/test-kit';
import { describe, expect, it } from 'vitest';
import { turn } from '../testing/fixtures.ts';
import { OpenStreams } from './open-streams.ts';
import { type Attested, WorkloadAttestation, type WorkloadAttestationParts } from './workload-attestation.ts';

const { signal } = new AbortController();

let pids = 4242;

class Peer implements PeerCredentials {
  readonly pid: number;
  readonly uid = 1;
  readonly gid = 1;
  readonly startTime = '1';
  readonly pidfd = undefined;
  alive = true;
  isAlive = () => this.alive;
  close = () => {};

  /** Of another process than every other one, unless told which. */
  constructor(pid = ++pids) {
    this.pid = pid;
  }
}

const attestor = (type: string, attest: WorkloadAttestor['attest']): WorkloadAttestor => ({ type, attest });
const good = attestor('good', async () => [parseSelector('good:yes')]);
const bad = attestor('bad', async () => {
  throw new Error('broken');
});
const never = attestor('never', () => new Promise(() => {}));

function make(attestors: WorkloadAttestor[], more: Partial<WorkloadAttestationParts> = {}) {
  const clock = new FakeClock();
  const logger = new MemoryLogger();
  const meter = { metrics: noMetrics, clock };
  const couldMatter = () => true;
  const attestation = new WorkloadAttestation({ attestors, couldMatter, clock, logger, timeout: 5, meter, ...more });
  return { clock, logger, attestation };
}

const texts = ({ selectors }: Attested) => selectors.map(formatSelector);

describe('WorkloadAttestation', () => {
  it('drops the attestor that fails, and the one that takes too long (W1)', async () => {
    const { attestation, clock, logger } = make([bad, never, good]);
    const attested = attestation.attest(new Peer(), signal);
    await clock.settled(1);
    await turn();
    await clock.advance(5);
    expect(await attested).toEqual({ selectors: [parseSelector('good:yes')], failed: ['bad', 'never'] });
    expect(logger.messages('warn')).toHaveLength(2);
  });

  it('takes an answer that is there, however late this process comes to look (W1)', async () => {
    const turns = attestor('turns', async () => {
      for (let step = 0; step < 10; step++) await turn();
      return [parseSelector('good:yes')];
    });
    // The time is over at once, as it seems to a process that was busy for long.
    const clock = { sleep: () => turn(), monotonic: () => 0, now: () => 0 };
    const { attestation } = make([turns], { clock });
    expect(texts(await attestation.attest(new Peer(), signal))).toEqual(['good:yes']);
  });

  it('is unavailable when nobody knows the caller (W2)', async () => {
    const { attestation } = make([bad]);
    await expect(attestation.attest(new Peer(), signal)).rejects.toMatchObject({
      code: Code.UNAVAILABLE,
      message: 'the calling process could not be examined by: bad',
    });
  });

  it('gives nothing to a caller that died before, or meanwhile (W3)', async () => {
    const dead = new Peer();
    dead.alive = false;
    let asked = 0;
    const dying = new Peer();
    const kills = attestor('kills', async () => {
      asked++;
      dying.alive = false;
      return [parseSelector('good:yes')];
    });
    const { attestation } = make([kills]);
    const refusal = { code: Code.PERMISSION_DENIED, message: 'no identity issued' };
    await expect(attestation.attest(dead, signal)).rejects.toMatchObject(refusal);
    expect(asked).toBe(0);
    await expect(attestation.attest(dying, signal)).rejects.toMatchObject(refusal);
  });

  it('runs a limited number at once and turns the rest away (W4, L2), and goes on when room is made', async () => {
    const release = Promise.withResolvers<void>();
    let running = 0;
    const slow = attestor('slow', async () => {
      running++;
      await release.promise;
      return [];
    });
    const { attestation } = make([slow], { limits: { running: 2, waiting: 1 } });
    const first = [attestation.attest(new Peer(), signal), attestation.attest(new Peer(), signal)];
    const leaving = new AbortController();
    const waiting = attestation.attest(new Peer(), leaving.signal);
    await turn();
    expect(running).toBe(2);
    await expect(attestation.attest(new Peer(), signal)).rejects.toMatchObject({ code: Code.UNAVAILABLE });
    leaving.abort(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
    release.resolve();
    await Promise.all(first);
    await attestation.attest(new Peer(), signal);
    expect(running).toBe(4);
  });

  it('examines a process once for all calls that wait, and never by what was found before a call came (L3)', async () => {
    const steps = [1, 2, 3, 4].map(() => Promise.withResolvers<void>());
    let asked = 0;
    const counting = attestor('counting', async () => {
      const step = asked++;
      await steps[step]?.promise;
      return [parseSelector(`step:${step}`)];
    });
    const { attestation } = make([counting]);
    const first = attestation.attest(new Peer(7), signal);
    await turn();
    const later = [1, 2, 3].map(() => attestation.attest(new Peer(7), signal));
    const other = attestation.attest(new Peer(8), signal);
    await turn();
    expect(asked).toBe(2);
    steps[0]?.resolve();
    steps[1]?.resolve();
    expect([await first, await other].flatMap(texts)).toEqual(['step:0', 'step:1']);
    await turn();
    expect(asked).toBe(3);
    steps[2]?.resolve();
    expect((await Promise.all(later)).flatMap(texts)).toEqual(['step:2', 'step:2', 'step:2']);
    expect(asked).toBe(3);
  });

  it('examines again for those who waited with one whose connection has gone', async () => {
    const gate = Promise.withResolvers<void>();
    const leader = new Peer(9);
    const touchy = attestor('touchy', async (peer) => {
      await gate.promise;
      if (!peer.isAlive()) throw new Error('gone');
      return [parseSelector('good:yes')];
    });
    const { attestation } = make([touchy]);
    const led = attestation.attest(leader, signal);
    const follower = attestation.attest(new Peer(9), signal);
    await turn();
    leader.alive = false;
    gate.resolve();
    await expect(led).rejects.toMatchObject({ code: Code.PERMISSION_DENIED });
    expect(texts(await follower)).toEqual(['good:yes']);
  });
});

describe('OpenStreams', () => {
  it('ends the streams of a dead opener and no other', async () => {
    const clock = new FakeClock();
    const streams = new OpenStreams(clock);
    const abort = new AbortController();
    void streams.run(abort.signal);
    const [dying, living] = [new Peer(), new Peer()];
    const ended = streams.guard(dying, signal);
    const goingOn = streams.guard(living, signal);
    await clock.advance(3);
    expect([ended.signal.aborted, goingOn.signal.aborted]).toEqual([false, false]);
    dying.alive = false;
    await clock.advance(3);
    expect([ended.signal.aborted, goingOn.signal.aborted]).toEqual([true, false]);
    expect(ended.signal.reason).toMatchObject({ code: Code.PERMISSION_DENIED });
    goingOn.release();
    abort.abort();
  });
});

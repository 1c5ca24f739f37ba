import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { systemClock } from '@steeple/daemon';
import { FakeClock } from '@steeple/test-kit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { leavesNothingBehind } from './leaves-nothing-behind.contract.ts';
import { peerOf } from './peer-for-tests.ts';
import { type Answer, BusForTests, oneUnit } from './systemd/bus-for-tests.ts';
import { SystemdAttestor, systemdAttestor } from './systemd.ts';
import { workloadAttestorContract } from './workload-attestor.contract.ts';

const { signal } = new AbortController();
const children: ChildProcess[] = [];
afterEach(() => children.splice(0).forEach((child) => child.kill('SIGKILL')));

const attestorOf = ({ environment }: { environment: NodeJS.ProcessEnv }) =>
  new SystemdAttestor({ clock: systemClock, environment });
const values = async (attestor: SystemdAttestor, of = peerOf(process.pid), within = signal) =>
  (await attestor.attest(of, within)).map(({ type, value }) => `${type}:${value}`);
const web = ['systemd:id:web.service', 'systemd:fragment_path:/etc/systemd/system/web.service'];

/** As the bus of one unit, but for the one member. */
const but =
  (member: string, answer: Answer): BusForTests['answer'] =>
  (question) =>
    question.member === member ? answer : oneUnit()(question);

describe('systemd', () => {
  let bus: BusForTests;
  beforeAll(async () => {
    bus = await BusForTests.start();
  });
  afterAll(() => bus[Symbol.asyncDispose]());
  afterEach(() => {
    bus.answer = oneUnit();
    bus.questions.length = 0;
  });

  describe('over one bus', () => workloadAttestorContract(() => attestorOf(bus)));

  it('tells the unit and the file that it was read from', async () => {
    expect(await values(attestorOf(bus))).toEqual(web);
  });

  it('tells an empty path of a unit that has no file, as SPIRE does', async () => {
    bus.answer = oneUnit('init.scope', '');
    expect(await values(attestorOf(bus))).toEqual(['systemd:id:init.scope', 'systemd:fragment_path:']);
  });

  it('tells nothing of a process that runs in no unit', async () => {
    bus.answer = but('GetUnitByPID', { error: 'org.freedesktop.systemd1.NoUnitForPID' });
    expect(await values(attestorOf(bus))).toEqual([]);
  });

  it('asks over one connection, however many ask', async () => {
    const attestor = attestorOf(bus);
    await Promise.all(Array.from({ length: 20 }, () => values(attestor)));
    expect(bus.questions.filter((member) => member === 'Hello')).toHaveLength(1);
    expect(bus.questions.filter((member) => member === 'GetConnectionUnixProcessID').length).toBeLessThanOrEqual(20);
    await values(attestor);
    expect(bus.questions.slice(-3)).toEqual(['GetUnitByPID', 'Get', 'Get']);
    attestor.close();
  });

  it('believes no bus that numbers processes otherwise', async () => {
    bus.answer = but('GetConnectionUnixProcessID', { type: 'u', value: process.pid + 1 });
    await expect(values(attestorOf(bus))).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringContaining('another pid namespace'),
    });
    expect(bus.questions).not.toContain('GetUnitByPID');
  });

  it.each<[string, string, Answer, string]>([
    ['an error', 'GetUnitByPID', { error: 'org.freedesktop.DBus.Error.AccessDenied' }, 'AccessDenied'],
    ['a path of another type', 'GetUnitByPID', { type: 's', value: '/x' }, 'answer of type'],
    ['a property that is no text', 'Get', { type: 'u', value: 7 }, 'of type "u"'],
    ['a unit without a name', 'Get', { type: 'v', value: '' }, 'without a name'],
    ['no D-Bus', 'GetUnitByPID', { raw: Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n') }, 'no D-Bus message'],
    ['an endless message', 'Get', { raw: Buffer.from('6c0201010000ff7f0100000008000000', 'hex') }, 'bytes'],
    ['an answer to nothing', 'Get', { raw: Buffer.from('6c020101000000000100000000000000', 'hex') }, 'nothing'],
    [
      'a cut-off field',
      'Get',
      { raw: Buffer.from('6c02010100000000010000000100000005ff000000000000', 'hex') },
      'middle',
    ],
  ])('is no fact about anyone: %s', async (_what, member, answer, text) => {
    bus.answer = but(member, answer);
    const attestor = attestorOf(bus);
    await expect(values(attestor)).rejects.toMatchObject({ code: 'internal', message: expect.stringContaining(text) });
    // And it goes on with the next, on another connection if need be.
    bus.answer = oneUnit();
    expect(await values(attestor)).toEqual(web);
  });

  it('takes a message in whatever pieces it comes', async () => {
    bus.answer = oneUnit('ü'.repeat(9000), '/p');
    expect(await values(attestorOf(bus))).toEqual([`systemd:id:${'ü'.repeat(9000)}`, 'systemd:fragment_path:/p']);
  });

  it('ends with its time, gives up a bus that says nothing, and comes back', async () => {
    const attestor = attestorOf(bus);
    await values(attestor);
    bus.answer = but('Get', undefined);
    const limit = new AbortController();
    const asking = values(attestor, peerOf(process.pid), limit.signal);
    await expect.poll(() => bus.questions.filter((member) => member === 'Get').length).toBeGreaterThan(3);
    limit.abort(new Error('deadline'));
    await expect(asking).rejects.toThrow('deadline');
    bus.answer = oneUnit();
    expect(await values(attestor)).toEqual(web);
  });

  it('says where the bus is missing, and finds it when it comes', async () => {
    const attestor = attestorOf(bus);
    expect(await values(attestor)).toEqual(web);
    await bus.stop();
    const refusal = {
      code: 'internal',
      message: expect.stringMatching(/system bus \(.*\/bus; DBUS_SYSTEM_BUS_ADDRESS/),
    };
    await expect(values(attestor)).rejects.toMatchObject(refusal);
    await bus.listen();
    expect(await values(attestor)).toEqual(web);
  });

  it('is told when the bus refuses this user', async () => {
    bus.greeting = 'REJECTED EXTERNAL';
    await expect(values(attestorOf(bus))).rejects.toThrow('does not accept this user');
    bus.greeting = 'x'.repeat(5000);
    await expect(values(attestorOf(bus))).rejects.toThrow('line');
    bus.greeting = 'OK 0123456789abcdef0123456789abcdef';
  });

  it('lets one caller find out that the bus hangs, not each', async () => {
    const clock = new FakeClock();
    const attestor = new SystemdAttestor({ clock, environment: bus.environment });
    const { greeting } = bus;
    bus.greeting = undefined;
    const first = values(attestor);
    first.catch(() => undefined);
    await expect.poll(() => bus.connections).toBeGreaterThan(0);
    await clock.advance(4);
    await expect(first).rejects.toThrow('no answer within 4 s');
    await expect(values(attestor)).rejects.toThrow('answers nobody');
    bus.greeting = greeting;
    await expect(values(attestor)).rejects.toThrow('answers nobody');
    await clock.advance(5);
    expect(await values(attestor)).toEqual(web);
    attestor.close();
  });

  it('leaves neither memory nor files behind after 5,000 attestations', async () => {
    const attestor = attestorOf(bus);
    await leavesNothingBehind(attestor, process.pid);
    attestor.close();
  });

  it('leaves no connection and no file open when it is done', async () => {
    const descriptors = () => readdirSync('/proc/self/fd').length;
    const before = descriptors();
    const attestor = attestorOf(bus);
    for (let n = 0; n < 50; n++) await values(attestor);
    attestor.close();
    await expect.poll(() => bus.connections).toBeLessThan(2);
    await expect.poll(descriptors).toBeLessThanOrEqual(before + 1);
  });

  it('refuses a process that dies before the answer comes', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    children.push(child);
    bus.answer = async (question) => {
      if (question.member === 'GetUnitByPID') {
        child.kill('SIGKILL');
        await new Promise((resolve) => child.once('exit', resolve));
      }
      return oneUnit()(question);
    };
    const dying = values(attestorOf(bus), peerOf(child.pid ?? 0));
    await expect(dying).rejects.toMatchObject({ code: 'permission-denied' });
  });
});

describe('systemd configuration', () => {
  it('has no settings', () => {
    expect(systemdAttestor.schema.safeParse({}).success).toBe(true);
    expect(systemdAttestor.schema.safeParse({ bus: 'x' }).success).toBe(false);
  });
});

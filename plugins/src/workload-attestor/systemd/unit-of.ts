import type { PeerCredentials } from '@steeple/daemon/listen';
import { type BusConnection, BusRefusal, NoDescriptorNow, one } from './bus-connection.ts';
import type { BusReply } from './bus-message.ts';
import { GarbledBus } from './wire-reader.ts';
import type { Argument } from './wire-writer.ts';

/** What systemd says of the unit a process runs in. */
export interface Unit {
  /** Its first name, such as `nginx.service`. */
  readonly id: string;
  /** The file it was read from; empty if there is none. */
  readonly fragmentPath: string;
}

const SYSTEMD = 'org.freedesktop.systemd1';
const BUS = 'org.freedesktop.DBus';
const NO_UNIT = new Set([`${SYSTEMD}.NoUnitForPID`, `${SYSTEMD}.NoUnitForPIDFD`]);

/** Connections whose systemd is older than 253. */
const withoutPidfd = new WeakSet<BusConnection>();
/** Connections whose bus numbers processes as we do. */
const sameNumbers = new WeakSet<BusConnection>();

/** Asks for the unit of a process; undefined if it is in none. The caller sees to it that the process stays the same. */
export async function unitOf(
  bus: BusConnection,
  peer: PeerCredentials,
  signal: AbortSignal,
): Promise<Unit | undefined> {
  try {
    const path = (await byPidfd(bus, peer, signal)) ?? (await byPid(bus, peer, signal));
    const [id, fragmentPath] = await Promise.all([
      property(bus, path, 'Id', signal),
      property(bus, path, 'FragmentPath', signal),
    ]);
    if (id === '') throw new GarbledBus('a unit without a name');
    return { id, fragmentPath };
  } catch (error) {
    if (error instanceof BusRefusal && NO_UNIT.has(error.refusal)) return undefined;
    throw error;
  }
}

/** The unit's path on the bus; undefined where nothing of the kind can be asked. */
async function byPidfd(
  bus: BusConnection,
  { pidfd }: PeerCredentials,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (pidfd === undefined || !bus.takesDescriptors || withoutPidfd.has(bus)) return undefined;
  try {
    const reply = await manager(bus, 'GetUnitByPIDFD', [{ h: 0 }], signal, pidfd);
    if (reply.signature !== 'osay') throw new GarbledBus(`an answer of type ${JSON.stringify(reply.signature)}`);
    return reply.body.text();
  } catch (error) {
    if (error instanceof NoDescriptorNow) return undefined;
    if (!(error instanceof BusRefusal) || error.refusal !== `${BUS}.Error.UnknownMethod`) throw error;
    withoutPidfd.add(bus);
    return undefined;
  }
}

async function byPid(bus: BusConnection, { pid }: PeerCredentials, signal: AbortSignal): Promise<string> {
  await requireSameNumbers(bus, signal);
  return one(await manager(bus, 'GetUnitByPID', [{ u: pid }], signal), 'o');
}

/**
 * A bus outside this process's pid namespace would tell the unit of another process with the same number. What number the
 * bus knows us by tells whether it is.
 */
async function requireSameNumbers(bus: BusConnection, signal: AbortSignal): Promise<void> {
  if (sameNumbers.has(bus)) return;
  const call = { destination: BUS, path: '/org/freedesktop/DBus', interface: BUS };
  const member = 'GetConnectionUnixProcessID';
  const pid = one(await bus.call({ ...call, member, arguments: [{ s: bus.name }] }, signal), 'u');
  if (Number(pid) !== process.pid) {
    throw new Error(`the bus runs in another pid namespace: it knows this agent as process ${pid}, not ${process.pid}`);
  }
  sameNumbers.add(bus);
}

function manager(
  bus: BusConnection,
  member: string,
  args: readonly Argument[],
  signal: AbortSignal,
  descriptor?: number,
): Promise<BusReply> {
  const path = '/org/freedesktop/systemd1';
  const call = { destination: SYSTEMD, path, interface: `${SYSTEMD}.Manager`, member, arguments: args };
  return bus.call(call, signal, descriptor);
}

async function property(bus: BusConnection, path: string, name: string, signal: AbortSignal): Promise<string> {
  const args = [{ s: `${SYSTEMD}.Unit` }, { s: name }];
  const call = { destination: SYSTEMD, path, interface: `${BUS}.Properties`, member: 'Get', arguments: args };
  const reply = await bus.call(call, signal);
  const { type, value } = reply.signature === 'v' ? reply.body.variant() : { type: reply.signature, value: '' };
  if (type === 's' && typeof value === 'string') return value;
  throw new GarbledBus(`a ${name} of type ${JSON.stringify(type)}`);
}

import dns, { type LookupAddress } from 'node:dns';
import type { Networks } from './addresses.ts';

/** All addresses of a name. */
export type Resolver = (hostname: string, signal: AbortSignal) => Promise<readonly LookupAddress[]>;

/** Resolving blocks a thread of the process, of which there are few, and for as long as a stranger's name server likes. */
const AT_ONCE = 2;
const MAX_ADDRESSES = 16;

const busy = new Set<object>();
const waiting = new Set<() => void>();

/** As the system resolves names, `/etc/hosts` included; only a few at a time. Who gives up while waiting is not resolved. */
export const systemResolver: Resolver = async (hostname, signal) => {
  while (busy.size >= AT_ONCE) await turn(signal);
  signal.throwIfAborted();
  const mine = {};
  busy.add(mine);
  const found = new Promise<readonly LookupAddress[]>((resolve, reject) => {
    dns.lookup(hostname, { all: true }, (error, addresses) => {
      busy.delete(mine);
      const [next] = waiting;
      next?.();
      if (error) reject(error);
      else resolve(addresses);
    });
  });
  return await untilAborted(found, signal);
};

/**
 * The addresses to connect to. One that must not be reached spoils all: whoever owns the name chose it.
 *
 * @throws {Error} if there is none, or a forbidden one
 */
export async function allowedAddresses(
  hostname: string,
  resolver: Resolver,
  networks: Networks,
  signal: AbortSignal,
): Promise<readonly LookupAddress[]> {
  const addresses = await resolver(hostname, signal);
  const [bad] = addresses.filter(({ address }) => !networks.has(address));
  if (bad !== undefined) throw new Error(`${hostname} has the address ${bad.address}, where no agent may be`);
  if (addresses.length === 0) throw new Error(`${hostname} has no address`);
  return addresses.slice(0, MAX_ADDRESSES);
}

function turn(signal: AbortSignal): Promise<void> {
  let done!: () => void;
  const mine = new Promise<void>((resolve) => {
    done = resolve;
  });
  waiting.add(done);
  return untilAborted(mine, signal).finally(() => waiting.delete(done));
}

function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', end));
  });
}

import { ConfigError } from '@steeple/daemon';

/** Where D-Bus says that the system bus is (D-Bus specification, "Well-known Message Bus Instances"). */
const DEFAULT = 'unix:path=/run/dbus/system_bus_socket';

/** The variable that names another one, as in every D-Bus library. */
export const BUS_VARIABLE = 'DBUS_SYSTEM_BUS_ADDRESS';

/**
 * The sockets at which the system bus may be found, in order, as `net.connect` takes their paths: an abstract one begins
 * with a zero byte. Addresses of other transports are passed over.
 *
 * @throws {ConfigError} if none is left, or the text is no list of addresses.
 */
export function busSockets(environment: NodeJS.ProcessEnv): readonly string[] {
  const text = environment[BUS_VARIABLE] ?? '';
  const sockets = (text === '' ? DEFAULT : text)
    .split(';')
    .filter((address) => address !== '')
    .map(socketOf);
  const usable = sockets.filter((socket) => socket !== undefined);
  if (usable.length === 0) throw refused('names no unix socket; use for example unix:path=/run/dbus/system_bus_socket');
  return usable;
}

function socketOf(address: string): string | undefined {
  const colon = address.indexOf(':');
  if (colon <= 0) throw refused(`holds "${address}", which is no D-Bus address`);
  if (address.slice(0, colon) !== 'unix') return undefined;
  const pairs = address
    .slice(colon + 1)
    .split(',')
    .map((pair): [string, string] => {
      const equals = pair.indexOf('=');
      if (equals <= 0) throw refused(`holds "${pair}", which is no key with a value`);
      return [pair.slice(0, equals), unescaped(pair.slice(equals + 1))];
    });
  const values = new Map(pairs);
  const path = values.get('path');
  if (path !== undefined) return path;
  const abstract = values.get('abstract');
  return abstract === undefined ? undefined : `\0${abstract}`;
}

/** Bytes are escaped as in a URL; the zero byte would end the path early. */
function unescaped(value: string): string {
  let plain: string;
  try {
    plain = decodeURIComponent(value);
  } catch {
    throw refused(`holds "${value}", in which a % begins no byte`);
  }
  if (plain === '' || plain.includes('\0')) throw refused('names an impossible socket');
  return plain;
}

function refused(what: string): ConfigError {
  return new ConfigError([{ path: 'plugins.WorkloadAttestor.systemd', message: `${BUS_VARIABLE} ${what}` }]);
}

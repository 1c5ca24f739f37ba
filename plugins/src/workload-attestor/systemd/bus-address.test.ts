import { describe, expect, it } from 'vitest';
import { busSockets } from './bus-address.ts';

const socketsOf = (text: string) => busSockets({ DBUS_SYSTEM_BUS_ADDRESS: text });

describe('busSockets', () => {
  it('is where D-Bus has it unless told otherwise', () => {
    expect(busSockets({})).toEqual(['/run/dbus/system_bus_socket']);
    expect(socketsOf('')).toEqual(['/run/dbus/system_bus_socket']);
  });

  it('reads paths, abstract names, escapes and lists', () => {
    expect(socketsOf('unix:path=/run/a%20b/bus,guid=0011')).toEqual(['/run/a b/bus']);
    expect(socketsOf('tcp:host=h,port=1;unix:abstract=/tmp/x;unix:guid=1,path=/y;')).toEqual(['\0/tmp/x', '/y']);
  });

  it.each([
    'tcp:host=h,port=1',
    'unix:tmpdir=/tmp',
    '/run/bus',
    'unix:path',
    'unix:path=%zz',
    'unix:path=/a%00',
    ':x=y',
  ])('refuses %j', (text) => expect(() => socketsOf(text)).toThrow('DBUS_SYSTEM_BUS_ADDRESS'));
});

import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { Strangers } from './strangers.ts';

it('admits so many strangers, and others when some have gone', () => {
  const strangers = new Strangers(2);
  const sockets = Array.from({ length: 3 }, () => new EventEmitter());
  expect(sockets.map((socket) => strangers.admit(socket))).toEqual([true, true, false]);
  sockets[2]?.emit('close');
  expect(strangers.admit(new EventEmitter())).toBe(false);
  sockets[0]?.emit('close');
  expect(strangers.admit(new EventEmitter())).toBe(true);
});

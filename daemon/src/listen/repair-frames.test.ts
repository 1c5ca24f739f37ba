import { describe, expect, it } from 'vitest';
import { authority, callHeaders, emptyMessage, frame, preface, settings } from './hpack.fixture.ts';
import { FrameRepair } from './repair-frames.ts';

const HEADERS = 1;
const CONTINUATION = 9;
const END_HEADERS = 4;

/** What comes out when the bytes come in pieces of this size. */
function through(input: Uint8Array, piece = input.length): Buffer {
  const out: Uint8Array[] = [];
  const repair = new FrameRepair((bytes) => out.push(Buffer.from(bytes)));
  for (let at = 0; at < input.length; at += piece) repair.feed(input.subarray(at, at + piece));
  repair.finish();
  return Buffer.concat(out);
}

const bad = callHeaders('/S/M', authority('/run/x.sock'));
const good = callHeaders('/S/M', authority('localhost--'));
const padded = (block: Buffer): Buffer => Buffer.concat([Buffer.from([3]), block, Buffer.alloc(3)]);
const prioritised = (block: Buffer): Buffer =>
  Buffer.concat([Buffer.from([3]), Buffer.alloc(5), block, Buffer.alloc(3)]);
const split = (block: Buffer, at: number): Buffer =>
  Buffer.concat([
    frame(HEADERS, 0, 3, block.subarray(0, at)),
    frame(CONTINUATION, 0, 3, block.subarray(at, at + 7)),
    frame(CONTINUATION, END_HEADERS, 3, block.subarray(at + 7)),
  ]);

describe('FrameRepair', () => {
  const session = (block: Buffer): Buffer =>
    Buffer.concat([
      preface,
      settings,
      frame(HEADERS, END_HEADERS, 1, block),
      emptyMessage(1),
      frame(HEADERS, END_HEADERS | 8, 5, padded(block)),
      frame(HEADERS, END_HEADERS | 8 | 32, 7, prioritised(block)),
      frame(0, 0, 1, Buffer.alloc(40_000, 0x41)),
      ...[1, 6, 12, 30].map((at) => split(block, at)),
      frame(HEADERS, END_HEADERS, 9, block),
    ]);

  it.each([1, 2, 7, 9, 10, 100, 1_000_000])('repairs every header block, however it arrives: pieces of %i', (piece) => {
    expect(through(session(bad), piece).equals(session(good))).toBe(true);
  });

  it('holds nothing back but unfinished header blocks', () => {
    const out: Uint8Array[] = [];
    const repair = new FrameRepair((bytes) => out.push(Buffer.from(bytes)));
    repair.feed(Buffer.concat([preface, settings, frame(0, 0, 1, Buffer.alloc(100)).subarray(0, 50)]));
    expect(Buffer.concat(out)).toHaveLength(24 + 9 + 50);
  });

  it('does not write into the memory it was given', () => {
    const input = session(bad);
    const before = Buffer.from(input);
    through(input);
    expect(input.equals(before)).toBe(true);
  });

  const start = Buffer.concat([preface, settings]);
  it.each([
    ['HTTP/1', Buffer.from(`GET / HTTP/1.1\r\nHost: /x\r\n\r\n`)],
    ['a cut preface', preface.subarray(0, 10)],
    ['a wrong preface', Buffer.concat([preface.subarray(0, 10), Buffer.alloc(30)])],
    [
      'a lone CONTINUATION',
      Buffer.concat([start, frame(CONTINUATION, END_HEADERS, 1, bad), frame(HEADERS, 4, 3, bad)]),
    ],
    [
      'a block broken by another frame',
      Buffer.concat([start, frame(HEADERS, 0, 1, bad), emptyMessage(1), split(bad, 5)]),
    ],
    ['a block continued elsewhere', Buffer.concat([start, frame(HEADERS, 0, 1, bad), frame(CONTINUATION, 4, 3, bad)])],
    [
      'an overlong HEADERS frame',
      Buffer.concat([start, frame(HEADERS, 4, 1, Buffer.concat([bad, Buffer.alloc(20_000)]))]),
    ],
    ['padding longer than the frame', Buffer.concat([start, frame(HEADERS, 12, 1, Buffer.from([255, 0x41, 1, 0x2f]))])],
    ['an empty padded frame', Buffer.concat([start, frame(HEADERS, 12, 1, Buffer.alloc(0)), settings])],
    [
      'endless CONTINUATION',
      Buffer.concat([
        start,
        frame(HEADERS, 0, 1, bad),
        ...Array.from({ length: 20 }, () => frame(CONTINUATION, 0, 1, Buffer.alloc(16_000, 0x82))),
      ]),
    ],
  ])('passes %s untouched', (_name, input) => {
    for (const piece of [1, 5, input.length]) expect(through(input, piece).equals(input)).toBe(true);
  });
});

import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  edgeLevels,
  formatCheckpoint,
  formatNote,
  formatReceipt,
  formatVerifierKey,
  inclusionProof,
  LogError,
  leafHash,
  type NoteKey,
  openNote,
  parseCheckpoint,
  parseReceipt,
  parseTilePath,
  parseVerifierKey,
  partialWidth,
  type Sha256,
  signedBytes,
  subtreesOfTiles,
  TILE_WIDTH,
  TreeEdge,
  tilePath,
  type VerifyEd25519,
  verifyReceipt,
} from './index.ts';

const sha256: Sha256 = (...parts) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const SPKI = '302a300506032b6570032100';
const check: VerifyEd25519 = (publicKey, message, signature) => {
  const hex = [...publicKey].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const der = Uint8Array.from(`${SPKI}${hex}`.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
  const key = createPublicKey({ key: der as never, format: 'der', type: 'spki' });
  return verify(null, message, key, signature);
};
const pair = generateKeyPairSync('ed25519');
const raw = pair.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
const key: NoteKey = { name: 'example.org/audit', publicKey: raw };
const signed = (text: string, by = key) =>
  formatNote(
    sha256,
    text,
    by,
    sign(null, signedBytes(text), createPrivateKey(pair.privateKey.export({ format: 'pem', type: 'pkcs8' }))),
  );

/** The example of C2SP signed-note. */
const VKEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const NOTE =
  'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n';

describe('notes', () => {
  it('opens the example of the specification with its key', () => {
    const example = parseVerifierKey(sha256, VKEY);
    expect(openNote(sha256, check, NOTE, example)).toBe('This is an example message.\n');
    expect(formatVerifierKey(sha256, example)).toBe(VKEY);
  });

  it('opens what it has made, beside signatures of others', () => {
    const note = signed('one\n\ntwo\n');
    expect(openNote(sha256, check, `${note}— stranger AAAAAAA=\n`, key)).toBe('one\n\ntwo\n');
  });

  it.each([
    [
      'another text',
      NOTE.replace('example message', 'example massage'),
      'the signature of example.com/foo on the note is wrong',
    ],
    [
      'another signer',
      NOTE.replace('— example.com/foo', '— example.com/bar'),
      'the note is not signed by example.com/foo',
    ],
    ['no signature', 'This is an example message.\n', 'the note has no signatures'],
    ['no last newline', NOTE.slice(0, -1), 'the note has no signatures'],
    ['a control character', NOTE.replace('is', '\u0007'), 'the note has control characters'],
    ['a signature that is no Base 64', NOTE.replace('Uw2QOk', 'Uw2QO_'), 'the note has a malformed signature line'],
    ['too many signatures', NOTE + '— a AAAAAAA=\n'.repeat(64), 'the note has more than 64 signatures'],
  ])('refuses %s', (_, note, message) => {
    expect(() => openNote(sha256, check, note, parseVerifierKey(sha256, VKEY))).toThrow(new LogError(message));
  });

  it('refuses verifier keys that are none', () => {
    expect(() => parseVerifierKey(sha256, VKEY.replace('530d903a', '530d903b'))).toThrow('the ID in the verifier key');
    for (const text of ['', 'a', 'a+b', `${VKEY}x`, VKEY.replace('AeKy', 'AuKy').replace('+Ae', '+Be')])
      expect(() => parseVerifierKey(sha256, text)).toThrow(LogError);
  });
});

describe('checkpoints', () => {
  const root = sha256();

  it('come out as they went in', () => {
    const checkpoint = { origin: 'example.org/audit', size: 42, root };
    expect(parseCheckpoint(formatCheckpoint(checkpoint))).toMatchObject({ origin: 'example.org/audit', size: 42 });
    expect(parseCheckpoint(`${formatCheckpoint(checkpoint)}an extension\n`).size).toBe(42);
  });

  it.each(['', 'a\n', 'a\n1\n', 'a\n01\nAAAA\n', 'a\n-1\nAAAA\n', `a\n${2 ** 53}\nAAAA\n`, '\n1\nAAAA\n'])(
    'are not %j',
    (text) => {
      expect(() => parseCheckpoint(text)).toThrow(LogError);
    },
  );
});

describe('receipts', () => {
  const entries = Array.from({ length: 11 }, (_, index) => Uint8Array.of(index));
  const edge = new TreeEdge(sha256);
  const subtrees = new Map<string, Uint8Array>();
  for (const entry of entries)
    for (const { level, index, hash } of edge.append(leafHash(sha256, entry))) subtrees.set(`${level}/${index}`, hash);
  const read = (level: number, index: number) => subtrees.get(`${level}/${index}`) ?? sha256();
  const checkpoint = signed(formatCheckpoint({ origin: key.name, size: 11, root: edge.root() }));
  const receipt = { index: 7, proof: inclusionProof(sha256, read, 7, 11), checkpoint, extra: Uint8Array.of(1, 2) };
  const entry = entries[7] ?? Uint8Array.of();

  it('show that an entry is in the log, and no other', () => {
    const parsed = parseReceipt(formatReceipt(receipt));
    expect(parsed.extra).toEqual(Uint8Array.of(1, 2));
    expect(verifyReceipt(sha256, check, parsed, entry, key).size).toBe(11);
    expect(() => verifyReceipt(sha256, check, parsed, Uint8Array.of(8), key)).toThrow('leaf 7 is not this entry');
    expect(() => verifyReceipt(sha256, check, { ...parsed, index: 6 }, entry, key)).toThrow('leaf 6 is not this entry');
    const other = { ...parsed, checkpoint: signed(formatCheckpoint({ origin: 'x', size: 11, root: edge.root() })) };
    expect(() => verifyReceipt(sha256, check, other, entry, key)).toThrow('the checkpoint is one of x');
  });

  it('are refused when a line of them is wrong, without another error', () => {
    const text = formatReceipt(receipt);
    expect(() => parseReceipt(text.replace('@v1', '@v2'))).toThrow('does not begin with');
    expect(() => parseReceipt(text.replace('index 7', 'index 07'))).toThrow('the receipt has no index');
    expect(() => parseReceipt(text.replace('\n\n', `\n${'A'.repeat(44)}\n\n`))).toThrow('no hash');
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.string({ maxLength: 3 }), (at, put) => {
        const broken = text.slice(0, at) + put + text.slice(at + 1);
        try {
          verifyReceipt(sha256, check, parseReceipt(broken), entry, key);
        } catch (error) {
          expect(error).toBeInstanceOf(LogError);
        }
      }),
    );
  });
});

describe('tiles', () => {
  it('have the paths of the specification', () => {
    expect(tilePath({ level: 0, index: 1234067, width: TILE_WIDTH })).toBe('tile/0/x001/x234/067');
    expect(tilePath({ level: 'entries', index: 0, width: 17 })).toBe('tile/entries/000.p/17');
    const id = fc.record({
      level: fc.oneof(fc.nat(63), fc.constant('entries' as const)),
      index: fc.maxSafeNat(),
      width: fc.integer({ min: 1, max: 256 }),
    });
    fc.assert(
      fc.property(id, (tile) => {
        expect(parseTilePath(tilePath(tile))).toEqual(tile);
      }),
    );
    for (const path of [
      'tile/64/000',
      'tile/0/00',
      'tile/0/x000/000',
      'tile/0/000.p/0',
      'tile/0/000.p/256',
      'tile/00/000',
      'tile/0/../000',
    ])
      expect(parseTilePath(path)).toBeUndefined();
  });

  it('are as wide as the specification’s example', () => {
    expect([0, 1, 2, 3].map((level) => partialWidth(level, 70_000))).toEqual([112, 17, 1, 0]);
  });

  it('hold every subtree that proofs need', () => {
    const edge = new TreeEdge(sha256);
    const tiles = new Map<string, Uint8Array[]>();
    const size = 600;
    const leaves = Array.from({ length: size }, (_, index) => leafHash(sha256, Uint8Array.of(index >> 8, index & 255)));
    for (const leaf of leaves)
      for (const { level, index, hash } of edge.append(leaf)) {
        if (level % 8 !== 0) continue;
        const name = `${level / 8}/${Math.floor(index / TILE_WIDTH)}`;
        tiles.set(name, [...(tiles.get(name) ?? []), hash]);
      }
    const read = subtreesOfTiles(sha256, (level, index) => tiles.get(`${level}/${index}`) ?? []);
    for (const index of [0, 255, 256, 599]) {
      const checkpoint = signed(formatCheckpoint({ origin: key.name, size, root: edge.root() }));
      const receipt = { index, proof: inclusionProof(sha256, read, index, size), checkpoint };
      const entry = Uint8Array.of(index >> 8, index & 255);
      expect(verifyReceipt(sha256, check, receipt, entry, key).size).toBe(size);
    }
    expect(() => read(9, 1)).toThrow('the log has no subtree 9/1');
    expect(edgeLevels(size)).toEqual([9, 6, 4, 3]);
  });
});

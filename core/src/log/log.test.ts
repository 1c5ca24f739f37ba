import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  consistencyProof,
  edgeLevels,
  inclusionProof,
  leafHash,
  nodeHash,
  type Sha256,
  TreeEdge,
  verifyConsistency,
  verifyInclusion,
} from './index.ts';

const sha256: Sha256 = (...parts) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const hex = (bytes: Uint8Array = new Uint8Array()) => [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('');
const bytes = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
const none = new Uint8Array();

/** The definition of RFC 6962, section 2.1, word for word. */
function plainRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const [only] = leaves;
  if (only === undefined) return sha256();
  if (leaves.length === 1) return leafHash(sha256, only);
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return nodeHash(sha256, plainRoot(leaves.slice(0, k)), plainRoot(leaves.slice(k)));
}

function grow(leaves: readonly Uint8Array[]) {
  const edge = new TreeEdge(sha256);
  const subtrees = new Map<string, Uint8Array>();
  const roots = [edge.root()];
  for (const leaf of leaves) {
    for (const { level, index, hash } of edge.append(leafHash(sha256, leaf))) subtrees.set(`${level}/${index}`, hash);
    roots.push(edge.root());
  }
  const read = (level: number, index: number): Uint8Array => {
    const hash = subtrees.get(`${level}/${index}`);
    if (hash === undefined) throw new Error(`no subtree ${level}/${index}`);
    return hash;
  };
  return { read, roots, head: (size: number) => ({ size, root: roots[size] ?? none }) };
}

/** Data and roots that implementations of Certificate Transparency test with. */
const DATA = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

describe('the Merkle tree of RFC 6962', () => {
  it('has the known roots', () => {
    expect(grow(DATA.map(bytes)).roots.map(hex)).toEqual(ROOTS);
  });

  const leaves = fc.array(fc.uint8Array({ maxLength: 8 }), { minLength: 1, maxLength: 70 });

  it('has the roots of the definition, also after it was laid down and taken up again', () => {
    fc.assert(
      fc.property(leaves, fc.nat(), (data, cut) => {
        const { roots, read } = grow(data);
        expect(hex(roots[data.length])).toBe(hex(plainRoot(data)));
        const size = cut % data.length;
        let start = 0;
        const edge = edgeLevels(size).map((level) => {
          const hash = read(level, start / 2 ** level);
          start += 2 ** level;
          return hash;
        });
        const resumed = new TreeEdge(sha256, size, edge);
        for (const leaf of data.slice(size)) resumed.append(leafHash(sha256, leaf));
        expect(hex(resumed.root())).toBe(hex(roots[data.length]));
      }),
    );
  });

  it('proves each leaf of each size, and nothing else', () => {
    const data = Array.from({ length: 20 }, (_, index) => Uint8Array.of(index));
    const { read, head } = grow(data);
    for (let size = 1; size <= data.length; size++)
      for (let index = 0; index < size; index++) {
        const leaf = { index, hash: leafHash(sha256, data[index] ?? none) };
        const proof = inclusionProof(sha256, read, index, size);
        expect(verifyInclusion(sha256, head(size), leaf, proof)).toBe(true);
        expect(verifyInclusion(sha256, head(size), { ...leaf, index: (index + 1) % size }, proof)).toBe(size === 1);
        expect(verifyInclusion(sha256, head(size), { ...leaf, index: size }, proof)).toBe(false);
        expect(verifyInclusion(sha256, head(size), leaf, [...proof, leaf.hash])).toBe(false);
        if (proof.length > 0) expect(verifyInclusion(sha256, head(size), leaf, proof.slice(1))).toBe(false);
      }
  });

  it('proves that each size begins with each smaller one', () => {
    const data = Array.from({ length: 20 }, (_, index) => Uint8Array.of(index));
    const { read, head } = grow(data);
    for (let size = 1; size <= data.length; size++)
      for (let old = 1; old <= size; old++) {
        const proof = consistencyProof(sha256, read, old, size);
        expect(verifyConsistency(sha256, head(old), head(size), proof)).toBe(true);
        expect(verifyConsistency(sha256, { size: old, root: sha256() }, head(size), proof)).toBe(false);
        expect(verifyConsistency(sha256, head(size), head(old), proof)).toBe(old === size);
        expect(verifyConsistency(sha256, head(old), head(size), [...proof, sha256()])).toBe(false);
        if (proof.length > 0) expect(verifyConsistency(sha256, head(old), head(size), proof.slice(1))).toBe(false);
      }
    expect(verifyConsistency(sha256, head(0), head(5), [])).toBe(true);
  });

  it('accepts no proof in which one bit is another', () => {
    fc.assert(
      fc.property(leaves, fc.nat(), fc.nat(), fc.nat(), (data, at, step, bit) => {
        const { read, head } = grow(data);
        const index = at % data.length;
        const proof = inclusionProof(sha256, read, index, data.length).map((hash) => Uint8Array.from(hash));
        const changed = proof[step % Math.max(1, proof.length)];
        if (changed === undefined) return;
        changed[bit % 32] = (changed[bit % 32] ?? 0) ^ (1 << (bit % 8));
        const leaf = { index, hash: leafHash(sha256, data[index] ?? none) };
        expect(verifyInclusion(sha256, head(data.length), leaf, proof)).toBe(false);
      }),
    );
  });

  it('refuses questions about leaves that are not there', () => {
    const { read } = grow([bytes('00')]);
    expect(() => inclusionProof(sha256, read, 1, 1)).toThrow('there is no leaf 1 in a tree of 1');
    expect(() => consistencyProof(sha256, read, 2, 1)).toThrow('a tree of 1 leaves has no beginning of 2');
    expect(() => new TreeEdge(sha256, 3, [])).toThrow('a tree of 3 leaves has 2 full subtrees');
  });
});

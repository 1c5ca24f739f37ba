import { expect, it } from 'vitest';
import { ProofMemory } from './proof-memory.ts';

const proof = (jti: string, expiresAt: number, id = 'spiffe://a.test/x') => ({ id, jti, expiresAt });

it('accepts each proof of a workload once, until it has expired', () => {
  let now = 1000;
  const { firstUse } = new ProofMemory(() => now);
  expect(firstUse(proof('1', 1060))).toBe(true);
  expect(firstUse(proof('1', 1060))).toBe(false);
  expect(firstUse(proof('1', 1060, 'spiffe://a.test/y'))).toBe(true);
  now = 1060;
  expect(firstUse(proof('1', 1060))).toBe(false);
  now = 1061;
  expect(firstUse(proof('1', 1120))).toBe(true);
});

it('refuses what it has no room to remember, and has room again when proofs expire', () => {
  let now = 1000;
  const { firstUse } = new ProofMemory(() => now, 2);
  expect(['1', '2', '3'].map((jti, at) => firstUse(proof(jti, 1060 - at)))).toEqual([true, true, false]);
  now = 1060;
  expect([firstUse(proof('4', 1100)), firstUse(proof('5', 1100))]).toEqual([true, false]);
});

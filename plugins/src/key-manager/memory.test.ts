import { describe } from 'vitest';
import { keyManagerContract } from './key-manager.contract.ts';
import { MemoryKeyManager } from './memory.ts';

describe('memory', () => {
  keyManagerContract(async () => new MemoryKeyManager());
});

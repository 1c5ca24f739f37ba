import type { CompatIo } from '../io.ts';
import { readInput } from '../read-input.ts';

/** Here an absent path, not `-`, stands for standard input. */
export const readBundleInput = (path: string, io: CompatIo): Promise<string> => readInput(path === '' ? '-' : path, io);

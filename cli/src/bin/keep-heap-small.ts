import { setFlagsFromString } from 'node:v8';

/**
 * Keeps the part of the heap small where new objects are made. It would grow with the first burst of calls and never
 * shrink; an agent has bursts when all workloads of its node connect at once, and little to do otherwise. To be called
 * before the program is loaded: that is a burst too.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

import { kubernetes } from './kubernetes/kubernetes.ts';
import type { RealPart } from './real-part.ts';

/** In the order in which they run when none is named. */
export const parts: readonly RealPart[] = [kubernetes];

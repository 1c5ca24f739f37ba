import type { Suite } from '../spire/suite.ts';
import { joinToken } from './join-token.ts';

export const suites: readonly Suite[] = [joinToken];

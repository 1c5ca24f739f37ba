import type { Pairing } from '../spire/suite.ts';

/** Ours, and SPIRE's as the control: it shows that the checks are right. */
export const OURS_AND_CONTROL: readonly Pairing[] = [
  { server: 'steeple', agent: 'steeple' },
  { server: 'spire', agent: 'spire' },
];

/** Agents tell programs of one user apart by their paths. */
export const BY_PATH = { WorkloadAttestor: { unix: { discover_workload_path: true } } } as const;

/** Whoever works on a task: a workload, and the one process of it whose key this is. */
export interface TaskOwner {
  readonly spiffeId: string;
  /** JWK thumbprint of the process's key (RFC 7638). */
  readonly jkt: string;
}

/** What may still be spent; undefined: no limit of its own. */
export interface TaskBudget {
  readonly calls?: number;
  readonly bytesOut?: number;
  readonly delegations?: number;
}

/**
 * What a tree of tasks has seen. Labels only ever rise, and the whole tree has them: its agents talk to each other in ways
 * nobody watches, and two steps that are each legal must not add up to a leak.
 */
export interface TaskLabels {
  /** The highest sensitivity of what was read, 0 to 3. */
  readonly highWater: number;
  /** Something came in that nobody of ours has written. */
  readonly untrustedInput: boolean;
}

/** What a task was begun for and within which bounds; nothing of it ever changes. */
export interface TaskTerms {
  /** UUIDv7. */
  readonly id: string;
  /** The first task of the tree; it is the transaction's id too. */
  readonly rootId: string;
  readonly parentId?: string;
  readonly intent: { readonly id: string; readonly version: number };
  readonly owner: TaskOwner;
  /** On whose behalf; undefined for an autonomous task. */
  readonly principal?: string;
  readonly environment: string;
  /** 0 (public) to 3. */
  readonly maxSensitivity: number;
  /** Hand-offs above this task, and how many there may be above any of its tree. */
  readonly depth: number;
  readonly maxDepth: number;
  /** Unix seconds. */
  readonly notAfter: number;
  readonly budget: TaskBudget;
  /** SHA-256 of what the agent said it wants, in words; never decided on. */
  readonly purposeSha256?: string;
}

/** The last five are final. */
export type TaskStatus = 'active' | 'suspended' | 'completed' | 'failed' | 'expired' | 'cancelled' | 'revoked';

/** How a task can end. */
export type TaskEnd = Exclude<TaskStatus, 'active' | 'suspended'>;

export interface Task {
  readonly terms: TaskTerms;
  readonly status: TaskStatus;
  /** Grows with each change of status, so that one comparison tells every older grant from the present ones. */
  readonly epoch: number;
  /** Why it is suspended; active again when the last of them is gone. */
  readonly holds: readonly string[];
}

export const NO_LABELS: TaskLabels = { highWater: 0, untrustedInput: false };

export function isOver({ status }: Pick<Task, 'status'>): boolean {
  return status !== 'active' && status !== 'suspended';
}

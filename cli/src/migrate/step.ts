/** One thing that the other server has, and what is to be done about it here. */
export interface Step<T> {
  readonly name: string;
  readonly wanted: T;
  readonly action: 'create' | 'update' | 'keep' | 'refuse';
  /** For an update: what changes. For a refusal: what is wrong. For something kept: why it is. */
  readonly why?: string;
  /** For a refusal: what the user can do. */
  readonly advice?: string;
}

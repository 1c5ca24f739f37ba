/** What may stand in a constraint's lists. Numbers are finite, as JSON has them. */
export type Scalar = string | number | boolean | null;

/**
 * What an argument of a tool's call may be: the core vocabulary of draft-niyikiza-oauth-attenuating-agent-tokens, section
 * 3.4, with the names it has in JSON.
 */
export type Constraint =
  | { readonly constraint_type: 'exact'; readonly value: Scalar }
  | {
      readonly constraint_type: 'range';
      /** No bound on that side when left out. */
      readonly min?: number;
      readonly max?: number;
      /** Whether the bound itself is allowed; default true. */
      readonly min_inclusive?: boolean;
      readonly max_inclusive?: boolean;
    }
  | { readonly constraint_type: 'one_of'; readonly values: readonly Scalar[] }
  | { readonly constraint_type: 'not_one_of'; readonly excluded: readonly Scalar[] }
  /** An array with at least these elements. */
  | { readonly constraint_type: 'contains'; readonly required: readonly Scalar[] }
  /** An array with no other elements than these. */
  | { readonly constraint_type: 'subset'; readonly allowed: readonly Scalar[] }
  | { readonly constraint_type: 'wildcard' }
  | { readonly constraint_type: 'all'; readonly constraints: readonly Constraint[] }
  | { readonly constraint_type: 'any'; readonly constraints: readonly Constraint[] };

/** A constrained argument must be there, unless it is optional. */
export type ArgumentConstraint = Constraint & { readonly optional?: boolean };

/** The arguments of a tool: whatever is not named must not be there (closed world). */
export type ToolArguments = Readonly<Record<string, ArgumentConstraint>>;

/** By the tool's name, compared as it is: without normalization of any kind. */
export type ToolGrants = Readonly<Record<string, ToolArguments>>;

export function isScalar(value: unknown): value is Scalar {
  return value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
}

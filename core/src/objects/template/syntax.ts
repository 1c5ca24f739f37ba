/** An expression of a template, with where it stands. */
export type Expression = { readonly at: number } & (
  | { readonly kind: 'literal'; readonly value: string | number | boolean }
  /** Fields of the point, or of the whole data for `$`. */
  | { readonly kind: 'data'; readonly whole: boolean }
  | { readonly kind: 'field'; readonly of: Expression; readonly name: string }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] }
);

export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly value: Expression }
  | {
      readonly kind: 'if' | 'with';
      readonly condition: Expression;
      readonly holds: readonly Node[];
      readonly otherwise: readonly Node[];
    };

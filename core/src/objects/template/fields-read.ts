import type { Expression, Node } from './syntax.ts';

/** The fields that a template reads from its data; what stands inside of `with` has another point, and is left out. */
export const fieldsRead = (nodes: readonly Node[]): readonly (readonly string[])[] =>
  nodes.flatMap((node) => {
    if (node.kind === 'text') return [];
    if (node.kind === 'print') return fieldsOf(node.value);
    const inner = node.kind === 'with' ? node.otherwise : [...node.holds, ...node.otherwise];
    return [...fieldsOf(node.condition), ...fieldsRead(inner)];
  });

/** The fields that an expression reads, each as its names from the top; the point itself is a field without names. */
export const fieldsOf = (expression: Expression): readonly (readonly string[])[] => {
  if (expression.kind === 'literal') return [];
  if (expression.kind === 'call') return expression.args.flatMap(fieldsOf);
  const names = namesOf(expression);
  return names === undefined && expression.kind === 'field' ? fieldsOf(expression.of) : [names ?? []];
};

/** Undefined for a field of what a function gives. */
const namesOf = (expression: Expression): readonly string[] | undefined => {
  if (expression.kind === 'data') return [];
  if (expression.kind !== 'field') return undefined;
  const above = namesOf(expression.of);
  return above && [...above, expression.name];
};

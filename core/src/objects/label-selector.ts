import { ObjectFields, type ObjectProblem } from './object-fields.ts';

/** Whether an object with these labels is selected. */
export type LabelSelector = (labels: Readonly<Record<string, string>>) => boolean;

const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;
type Operator = (typeof OPERATORS)[number];

/** A metav1.LabelSelector: all requirements must hold, and none select everything. */
export function readLabelSelector(value: unknown, path: string, problems: ObjectProblem[]): LabelSelector {
  if (value === undefined) return () => true;
  const fields = new ObjectFields(value, path, problems);
  const requirements = [...readLabels(fields), ...readExpressions(fields, problems)];
  fields.noOthers();
  return (labels) => requirements.every((holds) => holds(labels));
}

function readLabels(fields: ObjectFields): LabelSelector[] {
  const given = fields.value('matchLabels');
  if (given === undefined) return [];
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    fields.refuse('matchLabels', 'must be an object of labels');
    return [];
  }
  return Object.entries(given).flatMap(([key, value]) => {
    if (typeof value === 'string') return [requirement(key, 'In', [value])];
    fields.refuse(`matchLabels.${key}`, 'must be a text');
    return [];
  });
}

function readExpressions(fields: ObjectFields, problems: ObjectProblem[]): LabelSelector[] {
  const given = fields.value('matchExpressions') ?? [];
  if (!Array.isArray(given)) {
    fields.refuse('matchExpressions', 'must be a list');
    return [];
  }
  return given.map((one, at) =>
    readExpression(new ObjectFields(one, fields.path(`matchExpressions[${at}]`), problems)),
  );
}

function readExpression(fields: ObjectFields): LabelSelector {
  const key = fields.requiredText('key');
  const operator = fields.requiredText('operator');
  const values = fields.texts('values');
  fields.noOthers();
  const known = OPERATORS.find((one) => one === operator);
  if (known === undefined) {
    if (operator !== '') fields.refuse('operator', `must be one of ${OPERATORS.join(', ')}`);
    return () => false;
  }
  const takesValues = known === 'In' || known === 'NotIn';
  if (takesValues && values.length === 0) fields.refuse('values', `must not be empty for ${known}`);
  if (!takesValues && values.length > 0) fields.refuse('values', `must be empty for ${known}`);
  return requirement(key, known, values);
}

/** `NotIn` also selects what lacks the label, as Kubernetes does. */
const requirement = (key: string, operator: Operator, values: readonly string[]): LabelSelector => {
  const valueOf = (labels: Readonly<Record<string, string>>) => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  if (operator === 'Exists') return (labels) => valueOf(labels) !== undefined;
  if (operator === 'DoesNotExist') return (labels) => valueOf(labels) === undefined;
  const wanted = new Set<string | undefined>(values);
  return operator === 'In' ? (labels) => wanted.has(valueOf(labels)) : (labels) => !wanted.has(valueOf(labels));
};

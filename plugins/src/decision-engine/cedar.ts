import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { z } from 'zod';
import type { PluginDefinition } from '../plugin.ts';
import { NotCompiled } from './cedar/compile-expression.ts';
import { compilePolicy } from './cedar/compile-policy.ts';
import { CompiledPolicies } from './cedar/compiled-policies.ts';
import { ReferencePolicies } from './cedar/reference-policies.ts';
import { RequestSchema } from './cedar/request-schema.ts';
import {
  type DecisionEngine,
  type DecisionPoint,
  PolicyError,
  type PolicyProblem,
  type PolicySource,
} from './decision-engine.ts';

const POLICY_ID = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$/;
const MOST_POLICIES = 2000;
const LONGEST_TEXT = 256 * 1024;

/** Cedar: its own implementation reads and validates, ours decides, and its own again where ours knows not how. */
export const cedarEngine: DecisionEngine = {
  version: `cedar-${cedar.getCedarVersion()}`,
  load: (source) => {
    const problems = [...problemsOfForm(source), ...problemsOfContent(source)];
    if (problems.length > 0) throw new PolicyError(problems);
    try {
      return compile(source);
    } catch (error) {
      if (error instanceof NotCompiled) return referencePolicies(source);
      throw error;
    }
  },
};

/** The same policies, decided by the reference implementation. */
export function referencePolicies(source: PolicySource): DecisionPoint {
  const [namespace = ''] = Object.keys(schemaOf(source));
  return new ReferencePolicies(source, namespace === '' ? 'Action' : `${namespace}::Action`);
}

function compile(source: PolicySource): DecisionPoint {
  const schema = new RequestSchema(schemaOf(source));
  const isActionIn = schema.isActionIn.bind(schema);
  const policies = Object.entries(source.policies).map(([id, text]) => {
    const answer = cedar.policyToJson(text);
    if (answer.type === 'failure') throw new PolicyError(answer.errors.map((error) => problem(error, id)));
    return compilePolicy(id, answer.json, isActionIn);
  });
  return new CompiledPolicies(schema, policies);
}

function schemaOf({ schema }: PolicySource): cedar.SchemaJson<string> {
  const answer = cedar.schemaToJsonWithResolvedTypes(schema);
  if (answer.type === 'failure') throw new PolicyError(answer.errors.map((error) => problem(error)));
  return answer.json;
}

function problemsOfForm({ schema, policies }: PolicySource): readonly PolicyProblem[] {
  const ids = Object.keys(policies);
  const problems: PolicyProblem[] = ids
    .filter((id) => !POLICY_ID.test(id))
    .map((policyId) => ({ policyId, message: 'the id may have letters, digits and _ . : - only' }));
  if (ids.length > MOST_POLICIES) problems.push({ message: `there are more than ${MOST_POLICIES} policies` });
  const length = Object.values(policies).reduce((sum, text) => sum + text.length, schema.length);
  if (length > LONGEST_TEXT)
    problems.push({ message: `schema and policies are longer than ${LONGEST_TEXT} characters` });
  return problems;
}

function problemsOfContent({ schema, policies }: PolicySource): readonly PolicyProblem[] {
  const broken = Object.entries(policies).flatMap(([id, text]) => {
    const answer = cedar.policyToJson(text);
    return answer.type === 'failure' ? answer.errors.map((error) => problem(error, id)) : [];
  });
  if (broken.length > 0) return broken;
  const answer = cedar.validate({
    schema,
    policies: { staticPolicies: { ...policies } },
    validationSettings: { mode: 'strict' },
  });
  if (answer.type === 'failure') return answer.errors.map((error) => problem(error));
  // A warning here is a policy that can never apply: whoever wrote it meant something else.
  return [...answer.validationErrors, ...answer.validationWarnings].map(({ policyId, error }) =>
    problem(error, policyId),
  );
}

const problem = ({ message, help }: cedar.DetailedError, policyId?: string): PolicyProblem => ({
  ...(policyId === undefined ? {} : { policyId }),
  message,
  ...(help === null ? {} : { help }),
});

const settings = z.strictObject({});

export const cedarDecisionEngine: PluginDefinition<'decision-engine', z.infer<typeof settings>> = {
  kind: 'decision-engine',
  name: 'cedar',
  schema: settings,
  create: async () => cedarEngine,
};

import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import {
  type Decision,
  type DecisionPoint,
  type DecisionRequest,
  denied,
  EntityRef,
  type PolicySource,
  type PolicyValue,
} from '../decision-engine.ts';

let loaded = 0;

/** Decides by the reference implementation: whatever Cedar has, and some hundred times slower than compiled policies. */
export class ReferencePolicies implements DecisionPoint {
  readonly #name: string;
  readonly #actionType: string;

  /** @param source has been validated */
  constructor({ schema, policies }: PolicySource, actionType: string) {
    this.#name = `steeple-${++loaded}`;
    this.#actionType = actionType;
    for (const answer of [
      cedar.preparseSchema(this.#name, schema),
      cedar.preparsePolicySet(this.#name, { staticPolicies: { ...policies } }),
    ])
      if (answer.type === 'failure') throw new Error(answer.errors.map(({ message }) => message).join('; '));
  }

  decide({ principal, action, resource, context, entities }: DecisionRequest): Decision {
    try {
      const answer = cedar.statefulIsAuthorized({
        principal: toJson(principal),
        action: { type: this.#actionType, id: action },
        resource: toJson(resource),
        context: valueToJson(context) as cedar.Context,
        entities: entities.map(({ ref, attrs, parents }) => ({
          uid: toJson(ref),
          attrs: valueToJson(attrs) as Record<string, cedar.CedarValueJson>,
          parents: parents.map(toJson),
        })),
        preparsedSchemaName: this.#name,
        preparsedPolicySetId: this.#name,
        validateRequest: true,
      });
      if (answer.type === 'failure') return denied(answer.errors.map(({ message }) => message).join('; '));
      const { decision, diagnostics } = answer.response;
      const [failed] = diagnostics.errors;
      if (failed !== undefined) return denied(`policy ${failed.policyId}: ${failed.error.message}`);
      return { effect: decision, policyIds: diagnostics.reason.toSorted() };
    } catch (error) {
      return denied(error instanceof Error ? error.message : 'the policies could not be evaluated');
    }
  }
}

const toJson = ({ type, id }: EntityRef): cedar.TypeAndId => ({ type, id });

function valueToJson(value: PolicyValue): cedar.CedarValueJson {
  if (value instanceof EntityRef) return { __entity: toJson(value) };
  if (Array.isArray(value)) return value.map(valueToJson);
  if (typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, valueToJson(each as PolicyValue)]));
}

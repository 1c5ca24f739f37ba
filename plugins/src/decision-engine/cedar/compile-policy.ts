import type {
  EntityUidJson,
  PolicyJson,
  PrincipalConstraint,
  ResourceConstraint,
} from '@cedar-policy/cedar-wasm/nodejs';
import { EntityRef } from '../decision-engine.ts';
import { compileExpression, type Evaluate, NotCompiled } from './compile-expression.ts';
import type { Situation } from './situation.ts';
import { bool, sameEntity } from './value.ts';

export interface CompiledPolicy {
  readonly id: string;
  readonly effect: 'permit' | 'forbid';
  /** The actions it is about. */
  readonly concerns: (action: EntityRef) => boolean;
  /** Whether it is satisfied; throws EvaluationError. */
  readonly applies: (situation: Situation) => boolean;
}

/**
 * Compiles a policy from Cedar's JSON format.
 *
 * @param isActionIn whether an action is another one or in that group, by the schema
 * @throws {NotCompiled}
 */
export function compilePolicy(
  id: string,
  { effect, principal, action, resource, conditions }: PolicyJson,
  isActionIn: (action: EntityRef, group: EntityRef) => boolean,
): CompiledPolicy {
  const tests = [
    compileScope(principal, 'principal'),
    compileScope(resource, 'resource'),
    ...conditions.map(compileClause),
  ];
  return {
    id,
    effect,
    concerns: compileAction(action, isActionIn),
    applies: (situation) => tests.every((test) => test(situation)),
  };
}

type Test = (situation: Situation) => boolean;

function compileClause({ kind, body }: PolicyJson['conditions'][number]): Test {
  const evaluate: Evaluate = compileExpression(body);
  return kind === 'when' ? (situation) => bool(evaluate(situation)) : (situation) => !bool(evaluate(situation));
}

function compileScope(scope: PrincipalConstraint | ResourceConstraint, of: 'principal' | 'resource'): Test {
  switch (scope.op) {
    case 'All':
      return () => true;
    case '==': {
      const ref = refOf(scope);
      return ({ request }) => sameEntity(request[of], ref);
    }
    case 'in': {
      const group = refOf(scope);
      return (situation) => situation.isIn(situation.request[of], group);
    }
    case 'is':
    default: {
      const { entity_type: type } = scope;
      const group = scope.in === undefined ? undefined : refOf(scope.in);
      return (situation) => {
        const ref = situation.request[of];
        return ref.type === type && (group === undefined || situation.isIn(ref, group));
      };
    }
  }
}

function compileAction(scope: PolicyJson['action'], isActionIn: (action: EntityRef, group: EntityRef) => boolean) {
  switch (scope.op) {
    case 'All':
      return () => true;
    case '==': {
      const ref = refOf(scope);
      return (action: EntityRef) => sameEntity(action, ref);
    }
    case 'in':
    default: {
      const groups = 'entities' in scope ? scope.entities.map(toRef) : [toRef(scope.entity)];
      return (action: EntityRef) => groups.some((group) => isActionIn(action, group));
    }
  }
}

function refOf(scope: { readonly entity: EntityUidJson } | { readonly slot: string }): EntityRef {
  if ('slot' in scope) throw new NotCompiled('a template');
  return toRef(scope.entity);
}

function toRef(json: EntityUidJson): EntityRef {
  const { type, id } = '__entity' in json ? json['__entity'] : json;
  return new EntityRef(type, id);
}

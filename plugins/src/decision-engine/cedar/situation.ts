import type { DecisionRequest, EntityRef, PolicyEntity } from '../decision-engine.ts';
import { sameEntity } from './value.ts';

/** A request as the compiled policies look at it. */
export class Situation {
  readonly request: DecisionRequest;
  readonly action: EntityRef;

  constructor(request: DecisionRequest, action: EntityRef) {
    this.request = request;
    this.action = action;
  }

  /** What is known of an entity. There are few of them: looking through the list takes less than an index. */
  find(ref: EntityRef): PolicyEntity | undefined {
    return this.request.entities.find((each) => sameEntity(each.ref, ref));
  }

  /** Whether one entity is the other, or in it, however many groups lie between. */
  isIn(ref: EntityRef, group: EntityRef): boolean {
    if (sameEntity(ref, group)) return true;
    const seen: EntityRef[] = [ref];
    for (let at = 0; at < seen.length; at++) {
      const next = seen[at];
      if (next === undefined) break;
      for (const parent of this.find(next)?.parents ?? []) {
        if (sameEntity(parent, group)) return true;
        if (!seen.some((each) => sameEntity(each, parent))) seen.push(parent);
      }
    }
    return false;
  }
}

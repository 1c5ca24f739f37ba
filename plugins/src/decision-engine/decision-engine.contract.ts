import { describe, expect, it } from 'vitest';
import {
  type DecisionEngine,
  type DecisionPoint,
  type DecisionRequest,
  EntityRef,
  PolicyError,
} from './decision-engine.ts';

const SCHEMA = `namespace Shop {
  entity Team;
  entity Agent in [Team] = { owner: String, banned: Bool };
  entity Shelf;
  entity Tool in [Shelf] = { sensitivity: Long, intents: Set<String>, shelf: Shelf };
  action "any";
  action "call", "list" in ["any"] appliesTo {
    principal: [Agent], resource: [Tool], context: { intent: String, left: Long, note?: String, from: { ip: String } }
  };
}`;
const agent = new EntityRef('Shop::Agent', 'a');
const tool = new EntityRef('Shop::Tool', 't');
const team = new EntityRef('Shop::Team', 'red');
const shelf = new EntityRef('Shop::Shelf', 's');

const request: DecisionRequest = {
  principal: agent,
  action: 'call',
  resource: tool,
  context: { intent: 'read', left: 1, from: { ip: '127.0.0.1' } },
  entities: [
    { ref: agent, attrs: { owner: 'alice', banned: false }, parents: [team] },
    { ref: tool, attrs: { sensitivity: 1, intents: ['read', 'write'], shelf }, parents: [shelf] },
    { ref: team, attrs: {}, parents: [] },
  ],
};
const permit =
  'permit(principal, action in Shop::Action::"any", resource) when { resource.intents.contains(context.intent) };';

/** What every decision engine keeps, whatever its language is made of; the policies are Cedar's. */
export function decisionEngineContract(engine: DecisionEngine): void {
  const point = (policies: Record<string, string>): DecisionPoint => engine.load({ schema: SCHEMA, policies });

  describe('a decision engine', () => {
    it('allows what a policy permits, and names it', () => {
      expect(point({ reading: permit }).decide(request)).toEqual({ effect: 'allow', policyIds: ['reading'] });
    });

    it('denies what nothing permits', () => {
      const other = { ...request, context: { ...request.context, intent: 'delete' } };
      expect(point({ reading: permit }).decide(other)).toEqual({ effect: 'deny', policyIds: [] });
      expect(point({}).decide(request)).toEqual({ effect: 'deny', policyIds: [] });
    });

    it('denies what anything forbids, and names all that do', () => {
      const policies = {
        reading: permit,
        'deny:team': 'forbid(principal in Shop::Team::"red", action, resource);',
        'deny:left': 'forbid(principal, action == Shop::Action::"call", resource) when { context.left < 2 };',
        'deny:banned': 'forbid(principal, action, resource) when { principal.banned };',
      };
      expect(point(policies).decide(request)).toEqual({ effect: 'deny', policyIds: ['deny:left', 'deny:team'] });
    });

    it('denies when a policy fails, however many permit', () => {
      const policies = {
        reading: permit,
        'deny:shelf':
          'forbid(principal, action, resource) when { resource.shelf in principal && resource in resource.shelf };',
      };
      expect(() => point(policies)).toThrow(PolicyError);
      const overflow = `forbid(principal, action, resource) when { ${Array(64).fill('context.left').join(' * ')} > 1 };`;
      const many = { ...request, context: { ...request.context, left: 4_000_000 } };
      const decision = point({ reading: permit, 'deny:overflow': overflow }).decide(many);
      expect(decision).toMatchObject({
        effect: 'deny',
        policyIds: [],
        error: expect.stringContaining('deny:overflow'),
      });
    });

    it.each<[string, Partial<DecisionRequest>]>([
      ['an action that is not there', { action: 'burn' }],
      ['another kind of principal', { principal: tool }],
      ['another kind of resource', { resource: agent }],
      ['something missing in the context', { context: { intent: 'read', from: { ip: '' } } }],
      ['something more in the context', { context: { ...request.context, more: 1 } }],
      ['another type in the context', { context: { ...request.context, left: '1' } }],
      ['a fraction', { context: { ...request.context, left: 0.5 } }],
      ['something missing inside', { context: { ...request.context, from: {} } }],
      [
        'an entity with a wrong attribute',
        { entities: [{ ref: tool, attrs: { sensitivity: '1', intents: [], shelf }, parents: [] }] },
      ],
      [
        'an entity of no known type',
        { entities: [...request.entities, { ref: new EntityRef('Shop::Bag', 'b'), attrs: {}, parents: [] }] },
      ],
      [
        'an entity in what cannot hold it',
        { entities: [{ ref: agent, attrs: { owner: '', banned: false }, parents: [shelf] }] },
      ],
    ])('denies %s, and says that it is an error', (_, wrong) => {
      const decision = point({ all: 'permit(principal, action, resource);' }).decide({ ...request, ...wrong });
      expect(decision).toMatchObject({ effect: 'deny', policyIds: [], error: expect.any(String) });
    });

    it.each<[string, Record<string, string>, string]>([
      ['text that is no policy', { p: 'permit(principal' }, 'p: '],
      ['two policies in one', { p: `${permit}${permit}` }, 'p: '],
      [
        'an attribute that is not there',
        { p: 'permit(principal, action, resource) when { resource.sensitvity > 1 };' },
        'did you mean `sensitivity`?',
      ],
      [
        'an optional attribute nobody looked for',
        { p: 'permit(principal, action, resource) when { context.note == "x" };' },
        'note',
      ],
      ['types that do not fit', { p: 'permit(principal, action, resource) when { context.left == "1" };' }, 'p: '],
      ['a policy that can never apply', { p: 'permit(principal is Shop::Tool, action, resource);' }, 'p: '],
      ['an id that would confuse a log', { 'a\nb': permit }, 'the id may have'],
    ])('takes no %s', (_, policies, message) => {
      expect(() => point(policies)).toThrow(PolicyError);
      expect(() => point(policies)).toThrow(message);
    });

    it('takes no schema that is none', () => {
      expect(() => engine.load({ schema: 'entity', policies: {} })).toThrow(PolicyError);
    });
  });
}

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CompiledPolicies } from './cedar/compiled-policies.ts';
import { cedarEngine, referencePolicies } from './cedar.ts';
import { decisionEngineContract } from './decision-engine.contract.ts';
import { type Decision, type DecisionEngine, type DecisionRequest, EntityRef, PolicyError } from './decision-engine.ts';

/** The same checks, with the reference implementation deciding. */
const reference: DecisionEngine = {
  version: cedarEngine.version,
  load: (source) => {
    cedarEngine.load(source);
    return referencePolicies(source);
  },
};

describe('cedar, compiled', () => {
  decisionEngineContract(cedarEngine);
});
describe('cedar, as its own implementation decides', () => {
  decisionEngineContract(reference);
});

const SCHEMA = `namespace N {
  type Env = { hour: Long, region?: String };
  entity Fleet in [Fleet];
  entity Agent in [Fleet] = { owner: String, banned: Bool, level: Long };
  entity Server = { open: Bool };
  entity Tool in [Server] = { sensitivity: Long, intents: Set<String>, egress: Bool, server: Server };
  action "any";
  action "call" in ["any"] appliesTo { principal: [Agent], resource: [Tool], context: { env: Env, text: String, flag: Bool, n: Long, tags: Set<String>, peer: Agent } };
}`;
const quote = (text: string) => JSON.stringify(text);
const word = fc.constantFrom('', 'a', 'b', 'ab', 'abc', 'x*y');
const pattern = fc.constantFrom('*', 'a*', '*b', 'a*c', 'ab*b', 'a*a', '*a*b*', 'ab', '', 'x\\*y');
const { bool } = fc.letrec<{ bool: string; long: string; text: string; set: string }>((tie) => {
  const b = tie('bool');
  const [l, t, s] = [tie('long'), tie('text'), tie('set')];
  const pair = (make: (x: string, y: string) => string, of: fc.Arbitrary<string>) =>
    fc.tuple(of, of).map(([x, y]) => make(x, y));
  return {
    bool: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom(
        'context.flag',
        'resource.egress',
        'principal.banned',
        'resource.server.open',
        'context.peer.banned',
        'context.env has region',
        'context has env.region',
        '(context.env has region && context.env.region == "a")',
        'principal in N::Fleet::"f0"',
        'principal in N::Fleet::"f1"',
        'principal in [N::Fleet::"f2", N::Fleet::"f0"]',
        'context.peer in N::Fleet::"f1"',
        'resource in resource.server',
        'principal == N::Agent::"a0"',
        'principal == context.peer',
        'principal is N::Agent in N::Fleet::"f0"',
        '{a: 1, b: "x"} == {b: "x", a: context.n}',
        '{a: context.n}.a == 1',
      ),
      pair((x, y) => `(${x} && ${y})`, b),
      pair((x, y) => `(${x} || ${y})`, b),
      b.map((x) => `!(${x})`),
      fc.tuple(b, b, b).map(([x, y, z]) => `(if ${x} then ${y} else ${z})`),
      fc.tuple(fc.constantFrom('<', '<=', '>', '>=', '==', '!='), l, l).map(([op, x, y]) => `(${x} ${op} ${y})`),
      pair((x, y) => `(${x} == ${y})`, t),
      pair((x, y) => `(${x} != ${y})`, s),
      fc.tuple(t, pattern).map(([x, like]) => `(${x} like "${like}")`),
      fc.tuple(s, t).map(([x, y]) => `${x}.contains(${y})`),
      fc.tuple(fc.constantFrom('containsAll', 'containsAny'), s, s).map(([op, x, y]) => `${x}.${op}(${y})`),
      s.map((x) => `${x}.isEmpty()`),
    ),
    long: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.integer({ min: -3, max: 3 }).map(String),
      fc.constantFrom('context.n', 'context.env.hour', 'resource.sensitivity', 'principal.level', '-(context.n)'),
      fc.tuple(fc.constantFrom('+', '-', '*'), l, l).map(([op, x, y]) => `(${x} ${op} ${y})`),
    ),
    text: fc.oneof(word.map(quote), fc.constantFrom('context.text', 'principal.owner')),
    set: fc.oneof(
      fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => `[${words.map(quote).join(', ')}]`),
      fc.constantFrom('context.tags', 'resource.intents', '[context.text, principal.owner]'),
    ),
  };
});
const scope = fc.constantFrom(
  'principal, action, resource',
  'principal, action == N::Action::"call", resource',
  'principal in N::Fleet::"f1", action in N::Action::"any", resource',
  'principal is N::Agent, action in [N::Action::"any"], resource is N::Tool in N::Server::"s0"',
  'principal == N::Agent::"a1", action, resource == N::Tool::"t0"',
  'principal is N::Agent in N::Fleet::"f0", action, resource in N::Server::"s0"',
);
const policy = fc
  .tuple(fc.constantFrom('permit', 'forbid'), scope, fc.constantFrom('when', 'unless'), bool)
  .map(([effect, head, kind, body]) => `${effect}(${head}) ${kind} { ${body} };`);

const ref = (type: string, id: string) => new EntityRef(`N::${type}`, id);
const agents = fc.constantFrom('a0', 'a1').map((id) => ref('Agent', id));
const fleets = fc.subarray(['f0', 'f1', 'f2']).map((ids) => ids.map((id) => ref('Fleet', id)));
const agentAttrs = fc.record({ owner: word, banned: fc.boolean(), level: fc.integer({ min: -3, max: 3 }) });
const request: fc.Arbitrary<DecisionRequest> = fc
  .record({
    principal: agents,
    peer: agents,
    attrs: agentAttrs,
    fleets,
    nested: fleets,
    text: word,
    flag: fc.boolean(),
    n: fc.integer({ min: -3, max: 3 }),
    tags: fc.array(word, { maxLength: 3 }),
    hour: fc.nat(23),
    region: fc.option(word, { nil: undefined }),
    sensitivity: fc.nat(3),
    egress: fc.boolean(),
    intents: fc.array(word, { maxLength: 3 }),
    server: fc.boolean(),
  })
  .map((made) => {
    const [tool, server] = [ref('Tool', 't0'), ref('Server', 's0')];
    return {
      principal: made.principal,
      action: 'call',
      resource: tool,
      context: {
        env: { hour: made.hour, ...(made.region === undefined ? {} : { region: made.region }) },
        text: made.text,
        flag: made.flag,
        n: made.n,
        tags: made.tags,
        peer: made.peer,
      },
      entities: [
        { ref: made.principal, attrs: made.attrs, parents: made.fleets },
        {
          ref: tool,
          attrs: { sensitivity: made.sensitivity, intents: made.intents, egress: made.egress, server },
          parents: [server],
        },
        ...(made.server ? [{ ref: server, attrs: { open: made.flag }, parents: [] }] : []),
        // A chain of groups, never a ring: Cedar refuses rings.
        { ref: ref('Fleet', 'f0'), attrs: {}, parents: made.nested.filter(({ id }) => id !== 'f0') },
      ],
    };
  });

/** What both must agree on: the words of an error are each one's own. */
const comparable = ({ effect, policyIds, error }: Decision) => ({ effect, policyIds, failed: error !== undefined });

describe('compiled policies', () => {
  it('decide as the reference implementation does, whatever policies and requests', () => {
    const seen = { loaded: 0, allow: 0, forbidden: 0, failed: 0 };
    fc.assert(
      fc.property(
        fc.array(policy, { minLength: 1, maxLength: 5 }),
        fc.array(request, { minLength: 4, maxLength: 4 }),
        (texts, requests) => {
          const source = { schema: SCHEMA, policies: Object.fromEntries(texts.map((text, at) => [`p${at}`, text])) };
          let point: ReturnType<DecisionEngine['load']>;
          try {
            point = cedarEngine.load(source);
          } catch (error) {
            // What is always true or never applies is refused; which that is, the reference implementation says.
            expect(error).toBeInstanceOf(PolicyError);
            return;
          }
          expect(point).toBeInstanceOf(CompiledPolicies);
          seen.loaded++;
          const plain = referencePolicies(source);
          for (const each of requests) {
            const decision = point.decide(each);
            expect(comparable(decision)).toEqual(comparable(plain.decide(each)));
            if (decision.error !== undefined) seen.failed++;
            else if (decision.effect === 'allow') seen.allow++;
            else if (decision.policyIds.length > 0) seen.forbidden++;
          }
        },
      ),
      { numRuns: 200 },
    );
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(0);
  });

  it('leave to the reference implementation what they do not know', () => {
    const source = {
      schema: SCHEMA,
      policies: {
        p: 'permit(principal, action, resource) when { ip("10.0.0.1").isInRange(ip("10.0.0.0/8")) && context.flag };',
      },
    };
    const point = cedarEngine.load(source);
    expect(point).not.toBeInstanceOf(CompiledPolicies);
    fc.assert(
      fc.property(request, (each) => {
        expect(point.decide(each).effect).toBe(each.context['flag'] === true ? 'allow' : 'deny');
      }),
      { numRuns: 20 },
    );
  });
});

import { AGENT_SCHEMA, BASE_POLICIES } from '@steeple/core/policies';
import { describe, expect, it } from 'vitest';
import { cedarEngine, referencePolicies } from './cedar.ts';
import { type DecisionRequest, EntityRef, type PolicyEntity, type PolicyRecord } from './decision-engine.ts';

const NOW = 1_800_000_000;
const ref = (type: string, id: string) => new EntityRef(`Steeple::${type}`, id);
const fleet = ref('Fleet', 'support');
const [agent, other] = [ref('Agent', 'spiffe://example.org/agent/a'), ref('Agent', 'spiffe://example.org/agent/b')];
const [tool, server, intent] = [
  ref('Tool', 'tickets/read'),
  ref('ToolServer', 'tickets'),
  ref('Intent', 'ticket.summarise'),
];
const OWNED = {
  trustDomain: 'example.org',
  kind: 'agent',
  profile: 'reader',
  owner: 'alice',
  reviewBy: NOW + 1000,
  quarantined: false,
};
const TOOL = {
  sensitivity: 1,
  reversibility: 'read-only',
  intents: ['ticket.summarise'],
  pinned: true,
  egress: false,
};
const INTENT = { allowedFleets: [fleet], maxSensitivity: 2, maxTtl: 900, environments: ['prod'], autonomous: false };
const ENV = { now: NOW, hour: 10, weekday: 3, environment: 'prod' };
const TASK = {
  id: 't',
  status: 'active',
  intent: 'ticket.summarise',
  environment: 'prod',
  notAfter: NOW + 300,
  maxSensitivity: 2,
  depth: 0,
  maxDepth: 2,
  callsLeft: 10,
  approved: false,
  highWater: 0,
  untrustedInput: false,
};

interface Change {
  readonly agent?: PolicyRecord;
  readonly other?: PolicyRecord;
  readonly tool?: PolicyRecord;
  readonly intent?: PolicyRecord;
  readonly env?: PolicyRecord;
  readonly task?: PolicyRecord;
  readonly context?: PolicyRecord;
  readonly fleets?: readonly EntityRef[];
}

function entities(change: Change): readonly PolicyEntity[] {
  return [
    { ref: agent, attrs: { ...OWNED, ...change.agent }, parents: change.fleets ?? [fleet] },
    { ref: other, attrs: { ...OWNED, ...change.other }, parents: [] },
    { ref: tool, attrs: { ...TOOL, ...change.tool }, parents: [server] },
    { ref: intent, attrs: { ...INTENT, ...change.intent }, parents: [] },
  ];
}
const common = (change: Change) => ({ env: { ...ENV, ...change.env }, stateAgeMs: 0 });
const use = (change: Change): PolicyRecord => ({
  ...common(change),
  task: { ...TASK, ...change.task },
  toolInGrant: true,
  argsInGrant: true,
  popBound: true,
  assurance: 2,
  sameTrustDomain: true,
  guardrail: 'pass',
  ...change.context,
});
const REQUESTS: Readonly<Record<string, (change: Change) => DecisionRequest>> = {
  'task.begin': (change) => ({
    principal: agent,
    action: 'task.begin',
    resource: intent,
    context: {
      ...common(change),
      assurance: 2,
      requestedTtl: 300,
      requestedSensitivity: 2,
      onBehalfOf: 'user:alice',
      ...change.context,
    },
    entities: entities(change),
  }),
  'grant.mint': (change) => ({
    principal: agent,
    action: 'grant.mint',
    resource: tool,
    context: use(change),
    entities: entities(change),
  }),
  'tool.call': (change) => ({
    principal: agent,
    action: 'tool.call',
    resource: tool,
    context: use(change),
    entities: entities(change),
  }),
  'task.delegate': (change) => ({
    principal: agent,
    action: 'task.delegate',
    resource: other,
    context: {
      ...common(change),
      task: { ...TASK, ...change.task },
      childDepth: 1,
      childTtl: 100,
      parentTtlLeft: 300,
      attenuates: true,
      inChain: false,
      sameTrustDomain: true,
      delegateeAssurance: 2,
      ...change.context,
    },
    entities: entities(change),
  }),
};

/** Each cause of a denial, alone: action, what is wrong, and the code it must bear. */
const DENIALS: readonly [string, Change, string][] = [
  ['task.begin', { agent: { quarantined: true } }, 'agent_quarantined'],
  ['task.begin', { agent: { owner: '' } }, 'agent_unowned'],
  ['task.begin', { agent: { reviewBy: NOW } }, 'review_overdue'],
  ['task.begin', { fleets: [] }, 'intent_fleet'],
  ['task.begin', { context: { requestedTtl: 901 } }, 'intent_ttl'],
  ['task.begin', { context: { requestedSensitivity: 3, assurance: 3 } }, 'intent_sensitivity'],
  ['task.begin', { context: { assurance: 1 } }, 'begin_assurance'],
  ['task.begin', { env: { environment: 'dev' } }, 'intent_environment'],
  ['task.begin', { context: { onBehalfOf: '' } }, 'no_delegation_consent'],
  ['task.begin', { agent: { kind: 'batch' } }, 'batch_sensitive'],
  ['task.begin', { agent: { kind: 'service' } }, 'service_task'],
  ...['grant.mint', 'tool.call'].flatMap((action): [string, Change, string][] => [
    [action, { agent: { quarantined: true } }, 'agent_quarantined'],
    [action, { task: { status: 'suspended' } }, 'task_not_active'],
    [action, { task: { status: 'revoked' } }, 'task_not_active'],
    [action, { task: { notAfter: NOW } }, 'task_expired'],
    [action, { context: { toolInGrant: false, argsInGrant: false } }, 'tool_not_in_grant'],
    [action, { context: { argsInGrant: false } }, 'args_outside_grant'],
    [action, { context: { popBound: false } }, 'pop_missing'],
    [action, { tool: { intents: ['payroll.export'] } }, 'intent_mismatch'],
    [action, { tool: { pinned: false } }, 'tool_definition_changed'],
    [action, { context: { sameTrustDomain: false } }, 'cross_trust_domain'],
    [action, { tool: { sensitivity: 3 }, context: { assurance: 3 } }, 'sensitivity'],
    [action, { context: { assurance: 0 } }, 'assurance'],
    [action, { env: { environment: 'dev' } }, 'environment'],
    [action, { task: { callsLeft: 0 } }, 'budget'],
    [action, { agent: { kind: 'batch' } }, 'batch_tool'],
  ]),
  ['tool.call', { context: { guardrail: 'suspend' } }, 'guardrail'],
  ['tool.call', { tool: { reversibility: 'irreversible' } }, 'approval_required'],
  ['tool.call', { tool: { egress: true }, task: { highWater: 2 } }, 'exfiltration_path'],
  ['tool.call', { tool: { egress: true }, task: { untrustedInput: true } }, 'exfiltration_path'],
  ['tool.call', { context: { stateAgeMs: 60_001 } }, 'state_stale'],
  ['tool.call', { context: { stateAgeMs: 15_001 }, tool: { sensitivity: 2 } }, 'state_stale'],
  ['tool.call', { context: { stateAgeMs: 15_001 }, tool: { reversibility: 'reversible' } }, 'state_stale'],
  ['task.delegate', { context: { attenuates: false } }, 'delegation_widens'],
  ['task.delegate', { context: { childDepth: 3 } }, 'delegation_depth'],
  ['task.delegate', { context: { childTtl: 301 } }, 'delegation_outlives_parent'],
  ['task.delegate', { context: { inChain: true } }, 'delegation_loop'],
  ['task.delegate', { context: { sameTrustDomain: false } }, 'delegation_cross_domain'],
  ['task.delegate', { other: { quarantined: true } }, 'delegatee_quarantined'],
  ['task.delegate', { other: { owner: '' } }, 'delegatee_unowned'],
  ['task.delegate', { context: { delegateeAssurance: 1 } }, 'delegatee_assurance'],
  ['task.delegate', { task: { status: 'completed' } }, 'delegator_task'],
  ['task.delegate', { env: { environment: 'dev' } }, 'delegation_environment'],
];
const request = (action: string, change: Change): DecisionRequest => {
  const make = REQUESTS[action];
  if (make === undefined) throw new Error(`no request for ${action}`);
  return make(change);
};
const source = { schema: AGENT_SCHEMA, policies: BASE_POLICIES };
const isForbid = ([id]: readonly [string, string]) => id.startsWith('deny:');

describe('the base policies', () => {
  const [point, reference] = [cedarEngine.load(source), referencePolicies(source)];
  const permitsOnly = cedarEngine.load({
    ...source,
    policies: Object.fromEntries(Object.entries(BASE_POLICIES).filter((each) => !isForbid(each))),
  });

  it.each<[string, Change]>([
    ['task.begin', {}],
    ['task.begin', { intent: { autonomous: true }, context: { onBehalfOf: '' } }],
    ['task.begin', { agent: { kind: 'batch' }, context: { requestedSensitivity: 0 } }],
    ['grant.mint', {}],
    ['grant.mint', { tool: { reversibility: 'irreversible' } }],
    ['tool.call', {}],
    ['tool.call', { tool: { reversibility: 'irreversible' }, task: { approved: true } }],
    ['tool.call', { tool: { egress: true } }],
    ['tool.call', { tool: { egress: true }, task: { highWater: 2, approved: true } }],
    ['tool.call', { context: { stateAgeMs: 15_001 } }],
    ['task.delegate', {}],
  ])('allow %s %j', (action, change) => {
    expect(point.decide(request(action, change))).toMatchObject({ effect: 'allow' });
    expect(reference.decide(request(action, change))).toMatchObject({ effect: 'allow' });
  });

  it.each(DENIALS)('deny %s %j with its cause', (action, change, code) => {
    const expected = { effect: 'deny', policyIds: [`deny:${code}`] };
    expect(point.decide(request(action, change))).toEqual(expected);
    expect(reference.decide(request(action, change))).toEqual(expected);
  });

  it('name every cause that they know, and each is shown', () => {
    const shown = new Set(DENIALS.map(([, , code]) => `deny:${code}`));
    expect(
      Object.entries(BASE_POLICIES)
        .filter(isForbid)
        .map(([id]) => id)
        .toSorted(),
    ).toEqual([...shown].toSorted());
  });

  it('open nothing when a forbid is lost, save what is about the moment of a call', () => {
    const ofTheMoment = ['guardrail', 'approval_required', 'exfiltration_path', 'state_stale'];
    for (const [action, change, code] of DENIALS) {
      if (ofTheMoment.includes(code)) continue;
      expect([code, permitsOnly.decide(request(action, change)).effect]).toEqual([code, 'deny']);
    }
  });
});

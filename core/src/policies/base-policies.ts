const A = 'principal is Steeple::Agent';
const BEGIN = `${A}, action == Steeple::Action::"task.begin", resource is Steeple::Intent`;
const CALL = `${A}, action == Steeple::Action::"tool.call", resource is Steeple::Tool`;
const USE = `${A}, action in [Steeple::Action::"grant.mint", Steeple::Action::"tool.call"], resource is Steeple::Tool`;
const DELEGATE = `${A}, action == Steeple::Action::"task.delegate", resource is Steeple::Agent`;

const permit = (scope: string, ...conditions: readonly string[]): string =>
  `permit(${scope}) when { ${conditions.map((each) => `(${each})`).join(' && ')} };`;
const forbid = (scope: string, condition: string): string => `forbid(${scope}) when { ${condition} };`;

/** For whom a person answers, and has looked at it lately. */
const OWNED = 'principal.owner != "" && context.env.now < principal.reviewBy && !principal.quarantined';

/**
 * The policies that Steeple ships: what every agent is held to. An organisation adds permits and forbids of its own, a tenant
 * forbids only.
 *
 * For each action there is one permit that asks for everything, so that a forbid that is lost opens nothing; and one forbid
 * for each condition, whose id is the code that a refusal bears, so that every denial names its causes.
 */
export const BASE_POLICIES: Readonly<Record<string, string>> = {
  'permit-begin': permit(
    BEGIN,
    OWNED,
    'principal.kind == "agent" || principal.kind == "batch"',
    'principal in resource.allowedFleets',
    'context.requestedTtl <= resource.maxTtl',
    'context.requestedSensitivity <= resource.maxSensitivity',
    'context.requestedSensitivity <= context.assurance',
    'resource.environments.contains(context.env.environment)',
    'resource.autonomous || context.onBehalfOf != ""',
    'principal.kind != "batch" || context.requestedSensitivity == 0',
  ),
  'permit-use': permit(
    USE,
    OWNED,
    'context.task.status == "active" && context.env.now < context.task.notAfter',
    'context.toolInGrant && context.argsInGrant && context.popBound',
    'resource.intents.contains(context.task.intent)',
    'resource.pinned && context.sameTrustDomain',
    'resource.sensitivity <= context.task.maxSensitivity && resource.sensitivity <= context.assurance',
    'context.env.environment == context.task.environment',
    'context.task.callsLeft > 0',
    'principal.kind != "batch" || resource.sensitivity == 0',
  ),
  'permit-delegate': permit(
    DELEGATE,
    OWNED,
    'context.task.status == "active" && context.env.now < context.task.notAfter',
    'context.attenuates && !context.inChain && context.sameTrustDomain',
    'context.childDepth <= context.task.maxDepth',
    'context.childTtl <= context.parentTtlLeft',
    'resource.owner != "" && context.env.now < resource.reviewBy && !resource.quarantined',
    'context.task.maxSensitivity <= context.delegateeAssurance',
    'context.env.environment == context.task.environment',
  ),

  'deny:agent_quarantined': forbid(`${A}, action, resource`, 'principal.quarantined'),
  'deny:agent_unowned': forbid(`${A}, action, resource`, 'principal.owner == ""'),
  'deny:review_overdue': forbid(`${A}, action, resource`, 'context.env.now >= principal.reviewBy'),

  'deny:intent_fleet': forbid(BEGIN, '!(principal in resource.allowedFleets)'),
  'deny:intent_ttl': forbid(BEGIN, 'context.requestedTtl > resource.maxTtl'),
  'deny:intent_sensitivity': forbid(BEGIN, 'context.requestedSensitivity > resource.maxSensitivity'),
  'deny:intent_environment': forbid(BEGIN, '!resource.environments.contains(context.env.environment)'),
  'deny:no_delegation_consent': forbid(BEGIN, '!resource.autonomous && context.onBehalfOf == ""'),
  'deny:begin_assurance': forbid(BEGIN, 'context.requestedSensitivity > context.assurance'),
  'deny:batch_sensitive': forbid(BEGIN, 'principal.kind == "batch" && context.requestedSensitivity > 0'),
  'deny:service_task': forbid(BEGIN, 'principal.kind != "agent" && principal.kind != "batch"'),

  'deny:task_not_active': forbid(USE, 'context.task.status != "active"'),
  'deny:task_expired': forbid(USE, 'context.env.now >= context.task.notAfter'),
  'deny:tool_not_in_grant': forbid(USE, '!context.toolInGrant'),
  'deny:args_outside_grant': forbid(USE, 'context.toolInGrant && !context.argsInGrant'),
  'deny:pop_missing': forbid(USE, '!context.popBound'),
  'deny:intent_mismatch': forbid(USE, '!resource.intents.contains(context.task.intent)'),
  'deny:tool_definition_changed': forbid(USE, '!resource.pinned'),
  'deny:cross_trust_domain': forbid(USE, '!context.sameTrustDomain'),
  'deny:sensitivity': forbid(USE, 'resource.sensitivity > context.task.maxSensitivity'),
  'deny:assurance': forbid(USE, 'resource.sensitivity > context.assurance'),
  'deny:environment': forbid(USE, 'context.env.environment != context.task.environment'),
  'deny:budget': forbid(USE, 'context.task.callsLeft <= 0'),
  'deny:batch_tool': forbid(USE, 'principal.kind == "batch" && resource.sensitivity > 0'),
  'deny:guardrail': forbid(CALL, 'context.guardrail != "pass"'),
  'deny:approval_required': forbid(CALL, 'resource.reversibility == "irreversible" && !context.task.approved'),
  // A confidential read or untrusted input, then a tool that reaches out: two legal steps that add up to a leak.
  'deny:exfiltration_path': forbid(
    CALL,
    'resource.egress && (context.task.highWater >= 2 || context.task.untrustedInput) && !context.task.approved',
  ),
  // What this node knows is old: first nothing that matters, then nothing at all.
  'deny:state_stale': forbid(
    CALL,
    'context.stateAgeMs > 60000 || (context.stateAgeMs > 15000 && (resource.sensitivity >= 2 || resource.reversibility != "read-only"))',
  ),

  'deny:delegator_task': forbid(
    DELEGATE,
    'context.task.status != "active" || context.env.now >= context.task.notAfter',
  ),
  'deny:delegation_widens': forbid(DELEGATE, '!context.attenuates'),
  'deny:delegation_depth': forbid(DELEGATE, 'context.childDepth > context.task.maxDepth'),
  'deny:delegation_outlives_parent': forbid(DELEGATE, 'context.childTtl > context.parentTtlLeft'),
  'deny:delegation_loop': forbid(DELEGATE, 'context.inChain'),
  'deny:delegation_cross_domain': forbid(DELEGATE, '!context.sameTrustDomain'),
  'deny:delegatee_quarantined': forbid(DELEGATE, 'resource.quarantined'),
  'deny:delegatee_unowned': forbid(DELEGATE, 'resource.owner == "" || context.env.now >= resource.reviewBy'),
  'deny:delegatee_assurance': forbid(DELEGATE, 'context.task.maxSensitivity > context.delegateeAssurance'),
  'deny:delegation_environment': forbid(DELEGATE, 'context.env.environment != context.task.environment'),
};

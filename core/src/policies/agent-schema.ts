/**
 * What policies about agents can speak of, in Cedar's schema language.
 *
 * Times are Unix seconds, durations seconds unless the name says milliseconds; sensitivity and assurance go from 0 to 3.
 */
export const AGENT_SCHEMA = `namespace Steeple {
  type Env = { now: Long, hour: Long, weekday: Long, environment: String, region?: String };
  type TaskState = {
    id: String, status: String, intent: String, environment: String, notAfter: Long, maxSensitivity: Long,
    depth: Long, maxDepth: Long, callsLeft: Long, approved: Bool, highWater: Long, untrustedInput: Bool
  };
  type Call = {
    env: Env, task: TaskState, stateAgeMs: Long, toolInGrant: Bool, argsInGrant: Bool, popBound: Bool,
    assurance: Long, sameTrustDomain: Bool, guardrail: String
  };
  entity Fleet in [Fleet];
  entity Agent in [Fleet] = {
    trustDomain: String, kind: String, profile: String, owner: String, reviewBy: Long, quarantined: Bool
  };
  entity ToolServer = { trustDomain: String, environment: String };
  entity Tool in [ToolServer] = {
    sensitivity: Long, reversibility: String, intents: Set<String>, pinned: Bool, egress: Bool
  };
  entity Intent = {
    allowedFleets: Set<Fleet>, maxSensitivity: Long, maxTtl: Long, environments: Set<String>, autonomous: Bool
  };
  action "task.begin" appliesTo {
    principal: [Agent], resource: [Intent],
    context: {
      env: Env, assurance: Long, requestedTtl: Long, requestedSensitivity: Long, onBehalfOf: String, stateAgeMs: Long
    }
  };
  action "grant.mint", "tool.call" appliesTo { principal: [Agent], resource: [Tool], context: Call };
  action "task.delegate" appliesTo {
    principal: [Agent], resource: [Agent],
    context: {
      env: Env, task: TaskState, childDepth: Long, childTtl: Long, parentTtlLeft: Long, attenuates: Bool,
      inChain: Bool, sameTrustDomain: Bool, delegateeAssurance: Long, stateAgeMs: Long
    }
  };
}
`;

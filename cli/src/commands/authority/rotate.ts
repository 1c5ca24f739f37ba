import { bundleV1 } from '@steeple/proto/server-api';
import { type AuthorityKind, authorityKind, onAuthority } from '../../authority-kind.ts';
import { UserError } from '../../exit.ts';
import { isOn, text } from '../../flags.ts';
import { formatOf, printValue } from '../../output/print.ts';
import { onServer } from '../../server-client.ts';
import type { CliContext, Options } from '../../verb.ts';
import { publishedAs } from './published.ts';
import { planRotation, type RotationPlan, type Step } from './rotation-plan.ts';
import { letAgentsLearn, listHolders, waitForAgents } from './wait-for-agents.ts';

export async function run(options: Options, context: CliContext, [kindText]: readonly string[]): Promise<void> {
  const kind = authorityKind(kindText);
  const compromised = options['compromised'] !== undefined;
  if (!compromised) return renew(kind, options, context);
  const plan = await makePlan(kind, options, context);
  if (isOn(options, 'dryRun')) return showPlan(kind, plan, options, context);
  try {
    for (const [index, step] of plan.steps.entries()) {
      context.err(`${index + 1}/${plan.steps.length} ${STEP_WORDS[step]}`);
      await takeStep(step, kind, plan.compromised, options, context);
    }
  } catch (error) {
    const advice = `go on with: steeple authority rotate ${kind} --compromised ${plan.compromised}`;
    if (error instanceof UserError)
      throw new UserError(error.message, [error.advice, advice].filter(Boolean).join('\n  '));
    throw new UserError(error instanceof Error ? error.message : String(error), advice, { cause: error });
  }
  await report(kind, plan.compromised, options, context);
}

const STEP_WORDS: Readonly<Record<Step, string>> = {
  prepare: 'prepare: make its successor known',
  activate: 'activate: let the successor sign, once every live agent knows it',
  taint: 'taint: have everything replaced that the compromised one signed',
  wait: 'wait: until every agent has replaced what it holds',
  revoke: 'revoke: trust the compromised one no more',
};

async function makePlan(kind: AuthorityKind, options: Options, context: CliContext): Promise<RotationPlan> {
  const state = await onAuthority(kind, options, context, (calls) => calls.state());
  const bundle = await onServer(bundleV1.Bundle, options, context, (client) => client.getBundle({}));
  return planRotation(kind, state, text(options, 'compromised'), (id) => publishedAs(bundle, kind, id));
}

async function takeStep(step: Step, kind: AuthorityKind, compromised: string, options: Options, context: CliContext) {
  if (step === 'wait') return waitForAgents(kind, compromised, options, context);
  if (step === 'activate') await letAgentsLearn(options, context);
  return onAuthority(kind, options, context, async (calls) => {
    if (step !== 'activate') return calls[step](compromised);
    const { prepared } = await calls.state();
    if (prepared === undefined) throw new UserError('the prepared authority is gone');
    return calls.activate(prepared.authorityId);
  });
}

/** Without a compromise: the successor signs, and the former authority stays trusted until it expires. */
async function renew(kind: AuthorityKind, options: Options, context: CliContext): Promise<void> {
  const { prepared } = await onAuthority(kind, options, context, (calls) => calls.state());
  if (isOn(options, 'dryRun')) {
    context.out(`would ${prepared === undefined ? 'prepare and activate a new' : `activate the prepared`} authority`);
    return;
  }
  const { authorityId = '' } =
    prepared ?? (await onAuthority(kind, options, context, (calls) => calls.prepare())) ?? {};
  await letAgentsLearn(options, context);
  const next = await onAuthority(kind, options, context, (calls) => calls.activate(authorityId));
  context.out(`${next?.authorityId} signs now; the former one stays trusted until it expires`);
}

async function showPlan(kind: AuthorityKind, plan: RotationPlan, options: Options, context: CliContext): Promise<void> {
  const rollout = await listHolders(options, context);
  const format = formatOf(options);
  if (format === 'json' || format === 'yaml') {
    const agents = rollout?.holders.length ?? null;
    return printValue(context, format, { kind, compromised: plan.compromised, steps: [...plan.steps], agents });
  }
  context.out(`compromised: ${plan.compromised}`);
  if (plan.steps.length === 0) context.out('nothing is left to do: it is revoked');
  for (const [index, step] of plan.steps.entries()) context.out(`${index + 1}. ${STEP_WORDS[step]}`);
  if (rollout !== undefined) {
    const silent = rollout.holders.filter(({ live }) => !live).length;
    context.out(`agents and servers below: ${rollout.holders.length}, of which ${silent} not heard of lately`);
  }
}

async function report(kind: AuthorityKind, compromised: string, options: Options, context: CliContext): Promise<void> {
  const { active } = await onAuthority(kind, options, context, (calls) => calls.state());
  const format = formatOf(options);
  const replacement = active?.authorityId ?? '';
  if (format === 'json' || format === 'yaml') await printValue(context, format, { kind, compromised, replacement });
  else context.out(`${compromised} is revoked; ${replacement} signs now`);
}

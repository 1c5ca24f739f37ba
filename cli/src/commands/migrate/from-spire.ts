import { createInterface } from 'node:readline/promises';
import { bundleV1 } from '@steeple/proto/server-api';
import { withClient } from '../../connect.ts';
import { Failed, UserError } from '../../exit.ts';
import { isOn, requiredText } from '../../flags.ts';
import { applyPlan } from '../../migrate/apply.ts';
import { type Plan, planMigration, stepsOf } from '../../migrate/plan.ts';
import { readSide, type Side } from '../../migrate/read-side.ts';
import { planText, planValue } from '../../migrate/show-plan.ts';
import { formatOf, printValue } from '../../output/print.ts';
import type { CliContext, Options } from '../../verb.ts';

/** Seconds for one request: entries of a batch are written together. */
const PATIENCE = 120;

export async function run(options: Options, context: CliContext): Promise<void> {
  const { plan, from, to } = await look(options, context);
  const format = formatOf(options);
  if (format === 'json' || format === 'yaml') await printValue(context, format, planValue(plan));
  else context.out(planText(plan));
  if (isOn(options, 'dryRun')) return;
  const authorities = isOn(options, 'trustIssued') && !knows(to, from);
  const due = stepsOf(plan).some(({ action }) => action === 'create' || action === 'update');
  if (due || authorities) {
    await confirm(options, context);
    const target = requiredText(options, 'to', '--to');
    const use = { patience: PATIENCE, signal: context.signal };
    const failures = await applyPlan(plan, target, use);
    if (authorities) await addAuthorities(from, target, use);
    for (const { name, why } of failures) context.err(`error: ${name}: ${why}`);
    if (failures.length > 0) throw new Failed(`${failures.length} were not taken`);
  }
  advise(plan, context);
  if (stepsOf(plan).some(({ action }) => action === 'refuse')) throw new Failed('some entries cannot be taken');
}

const look = async (options: Options, context: CliContext): Promise<{ plan: Plan; from: Side; to: Side }> => {
  const from = await readSide(requiredText(options, 'from', '--from'), context.signal);
  const to = await readSide(requiredText(options, 'to', '--to'), context.signal);
  if (from.trustDomain !== to.trustDomain) {
    throw new UserError(
      `the servers are of different trust domains: ${from.trustDomain} and ${to.trustDomain}`,
      'every SPIFFE ID would change; start the new server with the trust domain of the old one',
    );
  }
  return { plan: planMigration(from, to, context.now()), from, to };
};

const confirm = async (options: Options, context: CliContext): Promise<void> => {
  if (isOn(options, 'yes')) return;
  if (process.stdin.isTTY !== true) {
    throw new UserError(
      'nothing was changed: there is nobody to ask',
      'give --yes to go on, or --dry-run to only look',
    );
  }
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await asking.question('go on? [y/N] ', { signal: context.signal });
    if (!/^y(es)?$/i.test(answer.trim())) throw new UserError('nothing was changed');
  } finally {
    asking.close();
  }
};

const knows = (to: Side, from: Side): boolean => {
  const known = new Set(to.own.x509Authorities.map(({ asn1 }) => Buffer.from(asn1).toString('base64')));
  const keys = new Set(to.own.jwtAuthorities.map(({ keyId }) => keyId));
  return (
    from.own.x509Authorities.every(({ asn1 }) => known.has(Buffer.from(asn1).toString('base64'))) &&
    from.own.jwtAuthorities.every(({ keyId }) => keys.has(keyId))
  );
};

const addAuthorities = async (
  from: Side,
  socket: string,
  use: { patience: number; signal: AbortSignal },
): Promise<void> => {
  const { x509Authorities, jwtAuthorities } = from.own;
  await withClient(bundleV1.Bundle, socket, (client) => client.appendBundle({ x509Authorities, jwtAuthorities }), use);
};

/** What a migration cannot do for the user. */
const advise = (plan: Plan, context: CliContext): void => {
  const byToken = plan.entries.filter(
    ({ action, wanted }) =>
      action !== 'refuse' && wanted.parentId?.path.startsWith('/spire/agent/join_token/') === true,
  );
  if (byToken.length === 0) return;
  context.err(
    `note: ${byToken.length} entries have an agent as parent that joined with a token; it gets another ID when it joins again`,
  );
  context.err(
    '  let it join with `steeple token generate --spiffe-id` of a lasting name, and make that name the parent',
  );
};

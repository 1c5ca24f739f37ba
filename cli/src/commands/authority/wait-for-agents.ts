import { setTimeout as sleep } from 'node:timers/promises';
import { Code, GrpcError } from '@steeple/proto/grpc';
import { rolloutV1 } from '@steeple/proto/steeple-api';
import type { AuthorityKind } from '../../authority-kind.ts';
import { UserError } from '../../exit.ts';
import { isOn, seconds } from '../../flags.ts';
import { onServer } from '../../server-client.ts';
import type { CliContext, Options } from '../../verb.ts';
import { type RolloutProgress, RolloutWatch } from './rollout-progress.ts';

/** Seconds to wait for agents that do not answer, and for those of a server that cannot tell; before activation less. */
const DEFAULT_WAIT = 120;
const BLIND_WAIT = 60;
const BLIND_LEARNING = 15;
const LOOK_EVERY = 1000;

/** Waits until everyone has replaced what they hold, as long as was asked; what then is missing is the user's decision. */
export async function waitForAgents(
  kind: AuthorityKind,
  compromised: string,
  options: Options,
  context: CliContext,
): Promise<void> {
  const limit = options['wait'] === undefined ? DEFAULT_WAIT : seconds(options, 'wait', '--wait');
  const started = context.now();
  let watch: RolloutWatch | undefined;
  let before = '';
  for (;;) {
    const rollout = await listHolders(options, context);
    if (rollout === undefined) return waitBlindly(options, context);
    watch ??= new RolloutWatch(rollout.sequenceNumber, kind === 'x509' ? compromised : undefined);
    const progress = watch.judge(rollout.holders, context.now());
    const said = describe(progress);
    if (said !== before) context.err(`    ${said}`);
    before = said;
    if (progress.waiting.length + progress.silent.length === 0) return;
    if (context.now() - started >= limit) return endWait(progress, options, context);
    await pause(LOOK_EVERY, context);
  }
}

function endWait({ waiting, silent }: RolloutProgress, options: Options, context: CliContext): void {
  const missing = [...waiting, ...silent];
  if (isOn(options, 'force')) {
    context.err(`    going on without ${missing.length}, because of --force`);
    return;
  }
  throw new UserError(
    `not everyone has replaced what the compromised authority signed:\n    ${missing.join('\n    ')}`,
    'what they hold will be refused once it is revoked: evict them, wait longer with --wait, or go on with --force',
  );
}

const describe = ({ done, waiting, silent }: RolloutProgress): string =>
  [
    `${done.length} done`,
    `${waiting.length} under way`,
    ...(silent.length === 0 ? [] : [`${silent.length} not heard of lately`]),
  ].join(', ');

/** Undefined for a server that cannot tell, as SPIRE's. */
export async function listHolders(options: Options, context: CliContext) {
  try {
    return await onServer(rolloutV1.Rollout, options, context, (client) => client.listHolders({}));
  } catch (error) {
    if (error instanceof GrpcError && error.code === Code.UNIMPLEMENTED) return undefined;
    throw error;
  }
}

/** A server of SPIRE lets an authority sign at once, whether its agents know it or not; they ask every five seconds. */
export async function letAgentsLearn(options: Options, context: CliContext): Promise<void> {
  if ((await listHolders(options, context)) !== undefined) return;
  context.err(`    this server does not wait until its agents know an authority; waiting ${BLIND_LEARNING} s instead`);
  await pause(BLIND_LEARNING * 1000, context);
}

async function waitBlindly(options: Options, context: CliContext): Promise<void> {
  const limit = options['wait'] === undefined ? BLIND_WAIT : seconds(options, 'wait', '--wait');
  context.err(`    this server cannot tell what its agents hold; waiting ${limit} s instead`);
  await pause(limit * 1000, context);
}

async function pause(milliseconds: number, { signal }: CliContext): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => {
    throw new UserError('interrupted');
  });
}

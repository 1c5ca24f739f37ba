import { carryOut } from '../apply/carry-out.ts';
import { readManifestFiles } from '../apply/manifest-files.ts';
import { planApply } from '../apply/plan-apply.ts';
import { readObjects } from '../apply/read-objects.ts';
import { applyText, applyValue } from '../apply/show-apply.ts';
import { serverSocket } from '../connect.ts';
import { Failed, UserError } from '../exit.ts';
import { isOn, text, texts } from '../flags.ts';
import { stepsOf } from '../migrate/plan.ts';
import { readSide } from '../migrate/read-side.ts';
import { formatOf, printValue } from '../output/print.ts';
import type { CliContext, Options } from '../verb.ts';

/** Seconds for one request: entries of a batch are written together. */
const PATIENCE = 120;

const NO_BUNDLE = /federated bundle/;
const BUNDLE_ADVICE =
  '  the bundle of that trust domain is not there yet: put it into trustDomainBundle, or apply again when it was fetched';

export async function run(options: Options, context: CliContext): Promise<void> {
  const format = formatOf(options);
  const set = setName(options);
  const prune = isOn(options, 'prune');
  const objects = readObjects(await readManifestFiles(texts(options, 'file')));
  for (const other of objects.others) context.err(`note: ${other} was passed over`);
  if (objects.entries.length + objects.domains.length === 0 && !prune) {
    throw new UserError('the files hold no ClusterStaticEntry and no ClusterFederatedTrustDomain');
  }
  const socket = serverSocket(text(options, 'socket'), context.env);
  const side = await readSide(socket, context.signal);
  const plan = planApply(objects, side, set);
  if (format === 'json' || format === 'yaml') await printValue(context, format, applyValue(plan, prune));
  else context.out(applyText(plan, prune));
  const refused = stepsOf(plan).filter(({ action }) => action === 'refuse').length;
  if (refused > 0) throw new Failed(`nothing was changed: ${refused} cannot be taken`);
  if (isOn(options, 'dryRun')) return;
  const target = { set, trustDomain: side.trustDomain, socket };
  const failures = await carryOut(plan, target, prune, { patience: PATIENCE, signal: context.signal });
  for (const { name, why } of failures) context.err(`error: ${name}: ${why}`);
  if (failures.some(({ why }) => NO_BUNDLE.test(why))) context.err(BUNDLE_ADVICE);
  if (failures.length > 0) throw new Failed(`${failures.length} were refused by the server`);
}

/** The name becomes part of the IDs of entries, where a point ends it. */
const setName = (options: Options): string => {
  const set = text(options, 'set') ?? 'default';
  if (/^[A-Za-z0-9_-]{1,63}$/.test(set)) return set;
  throw new UserError(`--set: '${set}' is not a name`, 'use at most 63 letters, digits, "-" and "_"');
};

// `npm run real -- [part…]`: attestation against the real systems, each set up and taken down by this program.
// `--list` names the parts; `--only <text>` runs the cases whose name contains it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runCases, Skip, sum, type Tally } from '../interop/case.ts';
import { parts } from './parts.ts';
import type { RealPart } from './real-part.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string', multiple: true, default: [] }, list: { type: 'boolean', default: false } },
});

function chosen(): readonly RealPart[] {
  const unknown = positionals.filter((name) => !parts.some((part) => part.name === name));
  if (unknown.length > 0)
    throw new Error(`no such part: ${unknown.join(', ')}; there are ${parts.map(({ name }) => name).join(', ')}`);
  return positionals.length === 0 ? parts : parts.filter(({ name }) => positionals.includes(name));
}

async function runPart(part: RealPart): Promise<Tally> {
  const folder = await mkdtemp(join(tmpdir(), `steeple-${part.name}-`));
  try {
    await using open = await part.open(folder);
    const selected = open.cases.filter(
      ({ name }) => values.only.length === 0 || values.only.some((text) => name.includes(text)),
    );
    return await runCases(selected.map(({ name, run }) => ({ name: `${part.name}: ${name}`, run })));
  } catch (error) {
    if (!(error instanceof Skip)) throw error;
    return await runCases([{ name: part.name, run: () => Promise.reject(error) }]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

if (values.list) {
  for (const { name, what } of parts) console.log(`${name.padEnd(12)} ${what}`);
} else {
  const tallies: Tally[] = [];
  for (const part of chosen()) tallies.push(await runPart(part));
  const { passed, failed, skipped } = sum(...tallies);
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exitCode = failed > 0 ? 1 : 0;
}

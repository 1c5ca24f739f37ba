#!/usr/bin/env node
import { keepHeapSmall } from './keep-heap-small.ts';
import { refuseDebugger } from './refuse-debugger.ts';
import { runProgram } from './run-program.ts';

refuseDebugger();
const [, , noun, verb] = process.argv;
if (noun === 'agent' && verb === 'run') keepHeapSmall();
const { main } = await import('../main.ts');

await runProgram(() => main(process.argv.slice(2)));

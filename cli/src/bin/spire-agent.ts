#!/usr/bin/env node
import { keepHeapSmall } from './keep-heap-small.ts';
import { refuseDebugger } from './refuse-debugger.ts';
import { runProgram } from './run-program.ts';

refuseDebugger();
if (process.argv[2] === 'run') keepHeapSmall();
const { compatMain } = await import('../compat/main.ts');

await runProgram(() => compatMain('spire-agent', process.argv.slice(2)));

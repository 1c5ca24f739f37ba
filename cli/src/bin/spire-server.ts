#!/usr/bin/env node
import { refuseDebugger } from './refuse-debugger.ts';
import { runProgram } from './run-program.ts';

refuseDebugger();
const { compatMain } = await import('../compat/main.ts');

await runProgram(() => compatMain('spire-server', process.argv.slice(2)));

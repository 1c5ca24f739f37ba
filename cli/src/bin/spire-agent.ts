#!/usr/bin/env node
import { compatMain } from '../compat/main.ts';
import { runProgram } from './run-program.ts';

await runProgram(() => compatMain('spire-agent', process.argv.slice(2)));

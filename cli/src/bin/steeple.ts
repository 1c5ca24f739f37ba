#!/usr/bin/env node
import { main } from '../main.ts';
import { runProgram } from './run-program.ts';

await runProgram(() => main(process.argv.slice(2)));

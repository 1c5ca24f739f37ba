#!/usr/bin/env node
import { main } from '../main.ts';

process.exitCode = await main(process.argv.slice(2));
// A daemon that has stopped may still have idle sockets; the command is over.
process.exit();

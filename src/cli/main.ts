#!/usr/bin/env node
import { dispatch } from './dispatch';
import { interruption } from './interruption';

void dispatch(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  cwd: process.cwd(),
  signal: interruption(),
}).then((code) => {
  process.exitCode = code;
});

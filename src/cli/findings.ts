import { relative } from 'node:path';
import type { ConfigFinding } from '../config/configFile';
import { printable } from './terminal/printable';

/** `file:line:col: error code: message`, one based as editors and compilers print it. Other files are relative to `cwd` where that is inside. */
export function formatFinding({ file, range, severity, code, message }: ConfigFinding, cwd: string): string {
  const near = relative(cwd, file);
  const shown = near === '' || near.startsWith('..') ? file : near;
  return printable(`${shown}:${range.start.line + 1}:${range.start.character + 1}: ${severity} ${code}: ${message}`);
}

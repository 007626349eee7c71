import { relative } from 'node:path';
import type { Writable } from 'node:stream';
import type { ConfigFinding } from '../config/configFile';
import { printable } from './terminal/printable';

/** As people and builds name a file: relative to `cwd` where it is inside. */
export function shownPath(file: string, cwd: string): string {
  const near = relative(cwd, file);
  return near === '' || near.startsWith('..') ? file : near;
}

/**
 * `file:line:col: error code: message`, one based as editors and compilers print it. Other files are relative to `cwd` where that is
 * inside.
 */
export function formatFinding({ file, range, severity, code, message }: ConfigFinding, cwd: string): string {
  return printable(`${shownPath(file, cwd)}:${range.start.line + 1}:${range.start.character + 1}: ${severity} ${code}: ${message}`);
}

/** One line each, each once: two configs may have the same base. */
export function writeFindings(findings: readonly ConfigFinding[], stderr: Writable, cwd: string): void {
  for (const line of new Set(findings.map((finding) => formatFinding(finding, cwd)))) stderr.write(`${line}\n`);
}

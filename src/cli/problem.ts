import type { Writable } from 'node:stream';
import { ConfigRejected } from '../worker/runFailure';
import { writeFindings } from './findings';
import { printableLines } from './terminal/printable';

/** Says what went wrong and what to do next; false for an error that says neither, which is a defect of ours. */
export function reportProblem(error: unknown, stderr: Writable, cwd: string): boolean {
  if (error instanceof ConfigRejected) {
    writeFindings(error.findings, stderr, cwd);
    return true;
  }
  if (!(error instanceof Error) || !('advice' in error) || typeof error.advice !== 'string') return false;
  stderr.write(printableLines(`moe-lab: ${error.message}\n${error.advice === '' ? '' : `  ${error.advice}\n`}`));
  return true;
}

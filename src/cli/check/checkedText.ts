import { formatFinding } from '../findings';
import { printable } from '../terminal/printable';
import type { Checked } from './checkFiles';

/** A line for each finding, and one for each way to mend it. */
export function checkedText({ findings }: Checked, cwd: string): string {
  return findings
    .flatMap(({ finding, fixes }) => [formatFinding(finding, cwd), ...fixes.map(({ title }) => printable(`    fix: ${title}`))])
    .join('\n');
}

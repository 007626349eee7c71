import { shownPath } from '../findings';
import type { Checked } from './checkFiles';

/** The published form of findings; its keys are a contract with other programs. Positions are zero-based, characters in UTF-16 units. */
export function checkedJson({ findings }: Checked, cwd: string): object {
  return {
    schemaVersion: 1,
    findings: findings.map(({ finding: { file, range, severity, code, message }, fixes }) => ({
      file: shownPath(file, cwd),
      range,
      severity,
      code,
      message,
      fixes: fixes.map(({ title, edits }) => ({ title, edits })),
    })),
  };
}

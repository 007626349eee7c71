import type { ConfigFinding, LoadedConfig } from './configFile';
import { didYouMean } from './editDistance';
import type { RuleCode } from './ruleCodes';

/** What is wrong with the codes that the file itself names in `lint`; of its bases they say it. */
export function lintFindings({ file, lint, rangeOf }: LoadedConfig, codes: readonly RuleCode[]): ConfigFinding[] {
  const settable = codes.flatMap((rule) => (rule.advisory ? [rule.code] : []));
  return Object.keys(lint).flatMap((code): ConfigFinding[] => {
    const range = rangeOf(['lint', code]);
    if (!range || settable.includes(code)) return [];
    const at = { file, range, severity: 'warning' as const };
    const path = ['lint', code];
    const remove = { title: `Remove \`${code}\` from \`lint\``, changes: [{ kind: 'remove' as const, path }] };
    if (codes.some((rule) => rule.code === code)) {
      const message = `\`${code}\` is an error: without it there is nothing that could be counted or trained, so its severity stays.`;
      return [{ ...at, code: 'lint-fixed-rule', message, remedies: [{ ...remove, sure: true }] }];
    }
    const meant = didYouMean(code, settable);
    if (meant === undefined || Object.hasOwn(lint, meant)) {
      return [{ ...at, code: 'lint-unknown-rule', message: `There is no rule \`${code}\`; remove it.`, remedies: [remove] }];
    }
    const rename = { title: `Change to \`${meant}\``, changes: [{ kind: 'move' as const, path, to: ['lint', meant] }], sure: true };
    return [
      { ...at, code: 'lint-unknown-rule', message: `There is no rule \`${code}\`; did you mean \`${meant}\`?`, remedies: [rename, remove] },
    ];
  });
}

import { ruleList } from './ruleList';

/** The small model over which examples of rules are laid, as by `extends`: it has no finding. */
export const baseOfExamples = `model:
  vocabulary: 256
  d_model: 96
  layers: 4
  context: 16
  attention: { heads: 4 }
  ffn: { width: 64 }
train: { steps: 1000, batch_tokens: 64, micro_batch: 2 }
data: { train: [a.txt] }
`;

/** docs/rules.md: every named rule, with its page. */
export function ruleIndex(): string {
  const rows = ruleList.map(
    ({ code, severity, summary, advisory }) =>
      `| [\`${code}\`](../media/rules/${code}.md) | ${severity}${advisory ? '' : ', fixed'} | ${cell(summary)} |`,
  );
  return `${introduction}\n| rule | severity | what it says |\n|---|---|---|\n${rows.join('\n')}\n`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

const introduction = `# Rules of the linter

<!-- Generated from src/language/ruleList.ts by \`npm run generate\`. -->

Every finding in a config has the code of a rule, and every rule a page: what it says, which failure in the field it prevents, how to mend it
and when to leave it. In the editor a code opens its page; \`moe-lab check\` prints the same findings.

Errors keep a program from being built: their severity is fixed. All others can be set

- for a workspace, by the setting \`moeLab.rules\`, and for one call, by \`moe-lab check --severity CODE=LEVEL\`;
- for a config and those that extend it, by its key \`lint\`: \`lint: { no-balance: off }\`; it wins over the setting;
- in one place, by a comment with a reason: \`# moe-lab-disable-line CODE -- reason\` on the line, \`# moe-lab-disable-next-line CODE -- reason\` above
  it, or \`# moe-lab-disable CODE -- reason\` anywhere for the whole file.

Examples on the pages are laid over this small model, as by \`extends\`, where they are no whole files:

\`\`\`yaml
${baseOfExamples}\`\`\`
`;

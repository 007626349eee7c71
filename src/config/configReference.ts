import { dotted, typePhrase } from './describeKey';
import { experimentJsonSchema } from './jsonSchema';
import type { JsonSchema } from './jsonSchema';
import { rules } from './semanticRules';
import type { KeyPath } from './yamlTree';

/** docs/config.md: every key of `*.moe.yaml`, from the schema. */
export function configReference(): string {
  const schema = experimentJsonSchema();
  const top = Object.entries(schema.properties ?? {});
  const plain = top.filter(([, property]) => !property.properties);
  return [
    introduction,
    section(
      'Top level',
      'Besides the sections below.',
      plain.map(([key, property]) => row([key], property, isRequired(schema, key))),
    ),
    ...top.filter(([, property]) => property.properties).map(([key, property]) => sectionOf([key], property, isRequired(schema, key))),
    ending(),
  ].join('\n');
}

const introduction = `# The experiment config, \`*.moe.yaml\`

<!-- Generated from src/config/schema.ts and src/config/rules/ by \`npm run generate\`. -->

One YAML file is one experiment. Keys without a default must be stated, here or in a config that this one \`extends\`; a config without
\`train\` and \`data\` can be counted but not run.

- \`extends: base.moe.yaml\` takes every value that this file does not state from the base, but for its \`name\`. Mappings are merged key by
  key, lists are replaced. A key or section without a value (\`moe:\`, \`temperature:\`) takes away what the base says, and its default holds
  where it has one; only what is required cannot be empty. Paths in a base stay relative to the base.
- \`parity: smoe.moe.yaml\` names the baseline that the hints and \`moe-lab count\` compare parameters and MACs with.
- \`sweep:\` makes a family of one config, each member a run: \`{ model.moe.top_k: [1, 2], train.seed: [1, 2] }\` has all four combinations,
  \`[{ model.moe.experts: 41 }, { model.moe.heads: 3, model.moe.experts: 96 }]\` the members that are listed, for keys that must move together. Values are
  merged as by \`extends\`; the config without its sweep must be valid by itself. \`moe-lab count\` and the hints say what each member costs.
- Anchors and aliases of YAML work; merge keys (\`<<\`) are no part of YAML 1.2: use \`extends\`.
`;

function ending(): string {
  return `## What is checked across keys

An error keeps the config from being counted and run; a warning says that a key has no effect, or what a figure will not mean; an information, what else
to know. Each has a page, which says what it prevents and how to mend it: [rules.md](rules.md) lists them.

| code | what it says |
|---|---|
${rules.map(({ code, severity, summary }) => `| \`${code}\` | ${cell(summary)}${severity === 'error' ? '' : ` (${severity})`} |`).join('\n')}
| \`parity-missing\`, \`parity-invalid\` | the baseline is not there, or has errors (warning) |
| \`extends-missing\`, \`extends-cycle\` | the base is not there, or configs extend each other in a circle |

And of single keys and whole files: \`yaml-syntax\`, \`duplicate-key\`, \`unknown-key\`, \`missing-key\`, \`invalid-value\`, \`empty-config\`, \`missing-file\`.
`;
}

function sectionOf(path: KeyPath, schema: JsonSchema, required: boolean): string {
  const entries = Object.entries(schema.properties ?? {});
  const rows = entries
    .filter(([, property]) => !property.properties)
    .map(([key, property]) => row([key], property, isRequired(schema, key)));
  const inner = entries
    .filter(([, property]) => property.properties)
    .map(([key, property]) => sectionOf([...path, key], property, isRequired(schema, key)));
  return [section(`\`${dotted(path)}\``, `${schema.description ?? ''}${required ? '' : ' Optional.'}`, rows), ...inner].join('\n');
}

function section(title: string, text: string, rows: readonly string[]): string {
  return [`## ${title}`, '', text, '', '| key | type | default | meaning |', '|---|---|---|---|', ...rows, ''].join('\n');
}

function row(path: KeyPath, schema: JsonSchema, required: boolean): string {
  const fallback = required ? 'required' : schema.default === undefined ? 'none' : `\`${JSON.stringify(schema.default)}\``;
  return `| \`${dotted(path)}\` | ${typePhrase(schema)} | ${fallback} | ${cell(schema.description ?? '')} |`;
}

function cell(text: string): string {
  return text
    .replaceAll('|', '\\|')
    .replaceAll('\n', ' ')
    .split(/(`[^`]*`)/)
    .map((piece) => (piece.startsWith('`') ? piece : piece.replace(/([*_])/g, '\\$1')))
    .join('');
}

function isRequired(schema: JsonSchema, key: string): boolean {
  return schema.required?.includes(key) ?? false;
}

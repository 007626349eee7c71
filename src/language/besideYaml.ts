import type { ConfigFinding } from '../config/configFile';

/** Red Hat's YAML extension reads the schema that package.json gives it, and shows what it says: descriptions, keys, choices, and what breaks it. */
export const YAML_EXTENSION = 'redhat.vscode-yaml';

/** Whether that extension shows a config too. What it says is then not said a second time. */
export type Beside = 'alone' | 'yaml';

/** Codes of findings that come from the YAML or from the schema alone. Their fixes are ours also beside it: it has none for them. */
export const codesOfSchema: ReadonlySet<string> = new Set(['yaml-syntax', 'duplicate-key', 'unknown-key', 'missing-key', 'invalid-value']);

/** Whether the YAML extension shows a finding like this at the same place. */
export function saidByYamlExtension({ code }: Pick<ConfigFinding, 'code'>): boolean {
  return codesOfSchema.has(code);
}

import type { ConfigFinding, ConfigFix, TextEdit } from './configFile';
import { applyEdits, editsFor } from './edit/keyEdits';
import { parseYamlTree } from './yamlTree';

/** What would mend a finding, as edits of `text`, the text of the finding's file; what cannot be edited safely is left out. */
export function fixesOf({ remedies = [] }: ConfigFinding, text: string): readonly ConfigFix[] {
  return remedies.flatMap(({ title, changes, edits: given, sure = false }) => {
    const edits = given === undefined ? editsFor(text, changes) : given.length > 0 && breaks(text, given) ? undefined : given;
    return edits && edits.length > 0 ? [{ title, edits, sure }] : [];
  });
}

/**
 * Whether edits that are not by keys leave a text that is no config any more, where it was one: a repeated key may hold the anchor of an
 * alias.
 */
function breaks(text: string, edits: readonly TextEdit[]): boolean {
  return !isBroken(text) && isBroken(applyEdits(text, edits));
}

function isBroken(text: string): boolean {
  return parseYamlTree(text).problems.some(({ code }) => code === 'yaml-syntax');
}

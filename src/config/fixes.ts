import type { ConfigFinding, ConfigFix } from './configFile';
import { editsFor } from './edit/keyEdits';

/** What would mend a finding, as edits of `text`, the text of the finding's file; what cannot be edited safely is left out. */
export function fixesOf({ remedies = [] }: ConfigFinding, text: string): readonly ConfigFix[] {
  return remedies.flatMap(({ title, changes, edits: given, sure = false }) => {
    const edits = given ?? editsFor(text, changes);
    return edits && edits.length > 0 ? [{ title, edits, sure }] : [];
  });
}

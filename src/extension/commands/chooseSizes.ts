import * as vscode from 'vscode';
import { editsFor } from '../../config/edit/keyEdits';
import type { ConfigAnalyses } from '../language/configAnalyses';
import { toRange } from '../language/ranges';
import { Dismissed, ExtensionError } from '../errors';
import { choiceItems } from './choiceItems';

/** Offers the solver's sizes for a config against its baseline, and writes the chosen ones into its text: one step to undo. */
export async function chooseSizes(analyses: ConfigAnalyses, config: vscode.Uri): Promise<void> {
  const document = await vscode.workspace.openTextDocument(config);
  const { loaded, baseline } = analyses.get(document);
  const { experiment } = loaded;
  if (experiment === undefined || baseline === undefined)
    throw new ExtensionError('There is nothing to compare with.', 'Name a baseline with `parity:`, and mend the errors of both configs.');
  const items = choiceItems(experiment, baseline).map((item) =>
    'changes' in item ? item : { label: item.heading, kind: vscode.QuickPickItemKind.Separator, changes: undefined },
  );
  const chosen = await vscode.window.showQuickPick(items, {
    title: `Sizes at the cost of ${baseline.name}`,
    placeHolder: items.length === 0 ? 'No whole numbers come near' : 'Residuals of both axes, router included',
    matchOnDescription: true,
    matchOnDetail: true,
  });
  if (chosen?.changes === undefined) throw new Dismissed('No sizes were chosen.');
  const changes = Object.entries(chosen.changes).map(([key, value]) => ({ kind: 'set' as const, path: key.split('.'), value }));
  // The text may have changed while the list was open: then it is not what was chosen for.
  const edits = document.getText() === loaded.text ? editsFor(loaded.text, changes) : undefined;
  if (edits === undefined)
    throw new ExtensionError('The sizes could not be written into this text.', `Write them yourself: ${chosen.label}.`);
  const edit = new vscode.WorkspaceEdit();
  for (const { range, newText } of edits) edit.replace(document.uri, toRange(range), newText);
  await vscode.workspace.applyEdit(edit);
  await vscode.window.showTextDocument(document);
}

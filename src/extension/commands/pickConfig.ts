import * as vscode from 'vscode';
import { CONFIG_SUFFIX } from '../contributions';
import { Dismissed, ExtensionError } from '../errors';
import { isConfigDocument } from '../language/configDocuments';

/**
 * The config a command is about: what it was given, else the one in the active editor, else the only one of the workspace, else the
 * one picked from a list. Throws Dismissed where the user picks none.
 */
export async function pickConfig(given: vscode.Uri | undefined, question = 'Start a run of which experiment?'): Promise<vscode.Uri> {
  if (given instanceof vscode.Uri) return given;
  const active = vscode.window.activeTextEditor?.document;
  if (active && isConfigDocument(active)) return active.uri;
  const found = (await vscode.workspace.findFiles(`**/*${CONFIG_SUFFIX}`, '**/{node_modules,.moe-lab}/**', 200)).sort((one, other) =>
    one.path.localeCompare(other.path),
  );
  const [first, ...others] = found;
  if (first === undefined) {
    throw new ExtensionError(
      `There is no *${CONFIG_SUFFIX} file here.`,
      'Create one with the command "MoE Lab: Create Sample Experiment".',
    );
  }
  if (others.length === 0) return first;
  const chosen = await vscode.window.showQuickPick(
    found.map((uri) => ({ label: vscode.workspace.asRelativePath(uri), uri })),
    { title: question },
  );
  if (chosen === undefined) throw new Dismissed('No experiment was picked.');
  return chosen.uri;
}

import * as vscode from 'vscode';
import { CustomEditor } from '../contributions';
import { pickConfig } from './pickConfig';

/** Shows a config as a form beside its text. */
export async function openConfigEditor(given: vscode.Uri | undefined): Promise<void> {
  const config = await pickConfig(given, 'Edit which experiment?');
  await vscode.commands.executeCommand('vscode.openWith', config, CustomEditor.config, vscode.ViewColumn.Beside);
}

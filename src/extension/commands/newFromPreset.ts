import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { presets } from '../../config/presets/catalogue';
import type { Preset } from '../../config/presets/preset';
import { presetText } from '../../config/presets/presetText';
import { CONFIG_SUFFIX } from '../contributions';
import { Dismissed } from '../errors';
import { foldersOnDisk } from '../workspaceFolders';
import { freeName } from './freeName';
import { presetItems } from './presetItems';

/**
 * Asks for a published model and opens its config, not saved yet, with its source and its gaps as comments. The document has the name of a
 * config from the start, so that counts and problems are shown in it; nothing is written before the user saves.
 */
export async function newFromPreset(): Promise<void> {
  const preset = await pickPreset();
  const uri = untitled(preset);
  const document = await vscode.workspace.openTextDocument(uri);
  const edit = new vscode.WorkspaceEdit();
  edit.insert(uri, new vscode.Position(0, 0), presetText(preset));
  await vscode.workspace.applyEdit(edit);
  await vscode.window.showTextDocument(document, { preview: false });
}

async function pickPreset(): Promise<Preset> {
  const items = presetItems(presets).map((item) =>
    'preset' in item ? item : { label: item.paper, kind: vscode.QuickPickItemKind.Separator, preset: undefined },
  );
  const chosen = await vscode.window.showQuickPick(items, {
    title: 'New experiment from which published model?',
    placeHolder: 'A name, a paper, or a table',
    matchOnDescription: true,
    matchOnDetail: true,
  });
  if (chosen?.preset === undefined) throw new Dismissed('No preset was picked.');
  return chosen.preset;
}

/** Where saving would put it: the first folder, under a name that neither a file nor an open document has. */
function untitled({ id }: Preset): vscode.Uri {
  const folder = foldersOnDisk()[0]?.path;
  const open = new Set(vscode.workspace.textDocuments.map(({ uri }) => uri.path));
  const uriOf = (name: string): vscode.Uri =>
    folder === undefined
      ? vscode.Uri.from({ scheme: 'untitled', path: `${name}${CONFIG_SUFFIX}` })
      : vscode.Uri.file(join(folder, `${name}${CONFIG_SUFFIX}`)).with({ scheme: 'untitled' });
  const taken = (name: string): boolean => {
    const uri = uriOf(name);
    return open.has(uri.path) || (folder !== undefined && existsSync(uri.fsPath));
  };
  return uriOf(freeName(id.replaceAll('/', '-'), taken));
}

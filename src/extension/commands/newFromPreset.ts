import * as vscode from 'vscode';
import { presets } from '../../config/presets/catalogue';
import type { Preset } from '../../config/presets/preset';
import { presetText } from '../../config/presets/presetText';
import { Dismissed } from '../errors';
import { foldersOnDisk } from '../workspaceFolders';
import { presetItems } from './presetItems';
import { showUntitledConfig } from './untitledConfig';

/**
 * Asks for a published model and opens its config, not saved yet, with its source and its gaps as comments. The document has the name of a
 * config from the start, so that counts and problems are shown in it; nothing is written before the user saves.
 */
export async function newFromPreset(): Promise<void> {
  const preset = await pickPreset();
  await showUntitledConfig(foldersOnDisk()[0]?.path, preset.id.replaceAll('/', '-'), presetText(preset));
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

import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';
import { loadConfig } from '../../config/loadConfig';
import { twinChoices } from '../../language/twinChoices';
import { CONFIG_SUFFIX } from '../contributions';
import { Dismissed, ExtensionError } from '../errors';
import { documentReader } from '../language/configDocuments';
import { pickConfig } from './pickConfig';
import { showUntitledConfig } from './untitledConfig';

/** Asks in which family a config is to have a twin that costs as much, and opens that, not saved yet. */
export async function createParityTwin(given: vscode.Uri | undefined): Promise<void> {
  const document = await vscode.workspace.openTextDocument(await pickConfig(given, 'Twin of which experiment?'));
  if (document.isUntitled) throw new ExtensionError('A twin extends its config, and this one is not on a disk yet.', 'Save it first.');
  const configFile = document.uri.fsPath;
  const readText = documentReader(document);
  const { experiment, findings } = loadConfig(configFile, readText);
  if (experiment === undefined) {
    const first = findings.find(({ severity }) => severity === 'error');
    throw new ExtensionError(`${basename(configFile)} has errors: ${first?.message ?? ''}`, 'Correct them first.');
  }
  const folder = dirname(configFile);
  const chosen = await vscode.window.showQuickPick(twinChoices({ configFile, experiment, folder, readText }), {
    title: `Twin of ${basename(configFile)} at equal cost in which family?`,
    matchOnDetail: true,
  });
  if (chosen === undefined) throw new Dismissed('No twin was picked.');
  const { suffix, text } = chosen.twin;
  await showUntitledConfig(folder, `${basename(configFile, CONFIG_SUFFIX)}-${suffix}`, text);
}

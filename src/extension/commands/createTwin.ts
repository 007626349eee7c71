import { existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';
import { loadConfig } from '../../config/loadConfig';
import { configSubject, fixedKTwin, type TwinSubject } from '../../parity/fixedKTwin';
import { runTwinSubject } from '../../runs/runTwinSubject';
import { CONFIG_SUFFIX, type RunTarget } from '../contributions';
import { documentReader, isConfigDocument } from '../language/configDocuments';
import type { RunStore } from '../runs/runStore';
import { pickConfig } from './pickConfig';
import { pickRun } from './pickRun';
import { showUntitledConfig } from './untitledConfig';

/**
 * Opens the twin with a fixed k of a run or a config whose k varies, beside its config and not saved yet. Without an argument it is about
 * the config in the active editor, else about a run, else about a config that is picked.
 */
export async function createTwin(store: RunStore, given: vscode.Uri | RunTarget | undefined): Promise<void> {
  const subject = await subjectOf(store, given);
  const folder = dirname(subject.configFile);
  const base = await vscode.workspace.openTextDocument(vscode.Uri.file(subject.configFile)).then(
    (document) => document,
    () => undefined,
  );
  // Without its config a twin stands alone, and reads nothing.
  const readText = base === undefined ? () => undefined : documentReader(base);
  const { k, text } = fixedKTwin(subject, folder, readText);
  const name = `${basename(subject.configFile).replace(CONFIG_SUFFIX, '')}-k${k}`;
  await showUntitledConfig(existsSync(folder) ? folder : undefined, name, text);
}

async function subjectOf(store: RunStore, given: vscode.Uri | RunTarget | undefined): Promise<TwinSubject> {
  if (given !== undefined && 'directory' in given) return runTwinSubject(given.directory);
  const active = vscode.window.activeTextEditor?.document;
  const inEditor = given ?? (active && isConfigDocument(active) ? active.uri : undefined);
  if (inEditor === undefined && store.runs.some(({ varyingK }) => varyingK)) {
    const run = await pickRun(store, undefined, {
      title: 'Create the twin of which run?',
      none: 'No run here has units that take different numbers of experts.',
      suits: ({ varyingK }) => varyingK,
    });
    return runTwinSubject(run.directory);
  }
  const document = await vscode.workspace.openTextDocument(await pickConfig(inEditor));
  return configSubject(loadConfig(document.uri.fsPath, documentReader(document)));
}

import { existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';
import { budgetIn } from '../../language/budgetTexts';
import { loadPair, MEASURE_SECONDS, scaledHere } from '../../language/scalePair';
import type { Budget } from '../../parity/scaleToBudget';
import { Measurements } from '../../runs/measurements';
import { CONFIG_SUFFIX, Setting } from '../contributions';
import { Dismissed, ExtensionError } from '../errors';
import { documentReader } from '../language/configDocuments';
import type { MachineSpeed } from '../language/machineSpeed';
import { runsFolderFor } from '../runs/runsFolders';
import { setting } from '../settings';
import { foldersOnDisk } from '../workspaceFolders';
import { measureWithProgress } from './measureMachine';
import { pickConfig } from './pickConfig';
import { requireTraining, type Training } from './training';
import { showUntitledConfig } from './untitledConfig';

/** Asks for a budget of time or memory, and opens the largest form of a config and its baseline that fits it, not saved yet. */
export async function scaleToBudget(training: Training, speed: MachineSpeed, given: vscode.Uri | undefined): Promise<void> {
  const document = await vscode.workspace.openTextDocument(await pickConfig(given, 'Scale which experiment and its baseline?'));
  if (document.isUntitled)
    throw new ExtensionError('A scaled config extends its original, and this one is not on a disk yet.', 'Save it first.');
  const file = document.uri.fsPath;
  const pair = loadPair(file, documentReader(document));
  const budget = await askBudget(file);
  // Only time has to be measured, which runs programs.
  if (budget.seconds !== undefined) await requireTraining('Scale to Budget');
  const runsDirectory = runsFolderFor(dirname(file), foldersOnDisk(), setting(Setting.runsDirectory));
  const runs = training.store.groups.find((group) => group.runsDirectory === runsDirectory)?.runs ?? [];
  const folder = dirname(file);
  const open = new Set(vscode.workspace.textDocuments.map(({ uri }) => uri.path));
  const { subject, baseline, summary } = await scaledHere({
    pair,
    budget,
    measurements: await new Measurements().read(runsDirectory, runs),
    folder,
    taken: (path) => existsSync(path) || open.has(vscode.Uri.file(path).path),
    measure: async (experiment) => {
      const title = `Measuring a model of width ${experiment.model.d_model} on this machine`;
      const { measurement } = await measureWithProgress(training, { title, experiment, runsDirectory, seconds: MEASURE_SECONDS });
      speed.refresh();
      return measurement;
    },
  });
  for (const config of [baseline, subject]) await showUntitledConfig(folder, basename(config.file, CONFIG_SUFFIX), config.text);
  void vscode.window.showInformationMessage(summary.join(' '));
}

async function askBudget(file: string): Promise<Budget> {
  const text = await vscode.window.showInputBox({
    title: `Scale ${basename(file)} and its baseline to what?`,
    prompt: 'Time for both trainings, memory for each, or both',
    placeHolder: '30m, 4GiB',
    value: '30m',
    validateInput: (value) =>
      budgetIn(value) === undefined ? 'A time such as 30m or 2h, an amount of memory such as 4GiB, or both.' : undefined,
  });
  const budget = text === undefined ? undefined : budgetIn(text);
  if (budget === undefined) throw new Dismissed('No budget was given.');
  return budget;
}

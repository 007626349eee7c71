import { existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';
import { branchConfig } from '../../language/branchConfig';
import type { Alarm } from '../../runs/alarms';
import { failureRemedy } from '../../runs/failureRemedy';
import { readRunExperiment } from '../../runs/runExperiment';
import type { RunSummary } from '../../runs/runIndex';
import { readRunResult } from '../../runs/runResult';
import { CONFIG_SUFFIX, type RunTarget } from '../contributions';
import { ExtensionError } from '../errors';
import { readOpenOrDisk } from '../language/configDocuments';
import type { RunStore } from '../runs/runStore';
import { pickRun } from './pickRun';
import { showUntitledConfig } from './untitledConfig';

/**
 * Opens a new config, not saved yet, of what a failed or alarmed run trained, with the key changed that governs what went wrong and the
 * cursor at it. Says so where no key does.
 */
export async function branchWithFix(store: RunStore, given: RunTarget | undefined): Promise<void> {
  const run = await pickRun(store, given, {
    title: 'Branch from which run?',
    none: 'No run here has failed or has an alarm.',
    suits: ({ failure, alarms }) => failure !== null || alarms.length > 0,
  });
  const { name, experiment, configFile } = await readRunExperiment(run.directory);
  const trouble = { failure: run.failure, alarms: await alarmsOf(run) };
  const remedy = failureRemedy(experiment, trouble);
  if (remedy === undefined)
    throw new ExtensionError(`No key of the config governs what became of ${name}.`, adviceOf({ ...run, ...trouble }));
  const branch = branchConfig({ id: run.id, name, experiment, configFile }, remedy, readOpenOrDisk);
  if (branch === undefined) {
    const key = String(remedy.path.join('.'));
    throw new ExtensionError(
      `${name} cannot be branched: with \`${key}\` changed its config has errors.`,
      'Copy its config and change it by hand.',
    );
  }
  const folder = dirname(configFile);
  const file = `${basename(configFile).replace(CONFIG_SUFFIX, '')}-${String(remedy.path.at(-1)).replaceAll('_', '-')}`;
  await showUntitledConfig(existsSync(folder) ? folder : undefined, file, branch.text);
  const editor = vscode.window.activeTextEditor;
  if (editor === undefined) return;
  const at = new vscode.Position(branch.position.line, branch.position.character);
  const value = new vscode.Range(at, editor.document.lineAt(at.line).range.end);
  editor.selection = new vscode.Selection(value.start, value.end);
  editor.revealRange(value, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}

/** The dashboard has alarms also of runs of before 0.2.0, whose metrics do not tell of idle experts: they are read whole. */
async function alarmsOf(run: RunSummary): Promise<readonly Alarm[]> {
  if (run.failure !== null || run.alarms.length > 0) return run.alarms;
  return (await readRunResult(run.directory))?.alarms ?? [];
}

function adviceOf({ failure, alarms, state }: RunSummary): string {
  if (failure !== null) return failure.advice;
  const [alarm] = alarms;
  if (alarm !== undefined) return alarm.message;
  return state === 'lost' ? 'Its process ended without a word: it can be resumed.' : 'It has neither failed nor an alarm.';
}

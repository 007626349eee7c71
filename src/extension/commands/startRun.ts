import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';
import { loadConfig } from '../../config/loadConfig';
import { readTextFromDisk } from '../../config/readTextFromDisk';
import { startRun as startWorker } from '../../worker/launch';
import { ConfigRejected } from '../../worker/runFailure';
import { CONFIG_SUFFIX, Setting } from '../contributions';
import { configPathOf, Dismissed } from '../errors';
import { revealKey, revealRange } from '../language/revealPlace';
import { runsFolderFor } from '../runs/runsFolders';
import { setting } from '../settings';
import { foldersOnDisk } from '../workspaceFolders';
import { pickConfig } from './pickConfig';
import { pickMembers } from './pickMembers';
import { saveConfig } from './saveConfig';
import { stopWithSweep } from './stopSweep';
import { launchAndShow, launchOptions, requireTraining, type Training } from './training';

/**
 * Trains a config in a worker of its own, as it stands in the editor; of one with a sweep the members that are picked, one after the other,
 * each started by the worker of the one before: what waits needs no window. Resolves with the run directory once it, or the first of them,
 * trains.
 */
export async function startRun(training: Training, given: vscode.Uri | undefined): Promise<string> {
  await requireTraining('Start Run');
  const configFile = await saveConfig(await pickConfig(given));
  const loaded = loadConfig(configFile, readTextFromDisk);
  const name = basename(configFile, CONFIG_SUFFIX);
  const [member, ...thenMembers] = (await pickMembers(loaded, name)) ?? [];
  const runsDirectory = runsFolderFor(dirname(configFile), foldersOnDisk(), setting(Setting.runsDirectory));
  const title = `Starting ${name}${member === undefined ? '' : `, member ${member + 1}`}`;
  try {
    return await launchAndShow(
      training,
      title,
      () =>
        startWorker({
          configFile,
          readText: readTextFromDisk,
          runsDirectory,
          ...(member === undefined ? {} : { member, thenMembers }),
          ...launchOptions(training),
        }),
      (run) => stopWithSweep(run),
    );
  } catch (error) {
    const showPlace = placeShower(configFile, error);
    if (showPlace === undefined) throw error;
    training.reportError(error, { title: 'Show in Config', run: showPlace });
    await showPlace();
    throw new Dismissed('The user has been told.');
  }
}

/** Takes the user to the place in the config that an error is about; undefined where it is about no such place. */
function placeShower(configFile: string, error: unknown): (() => Promise<void>) | undefined {
  if (error instanceof ConfigRejected) {
    const first = error.findings.find(({ severity }) => severity === 'error');
    return first && (() => revealRange(vscode.Uri.file(first.file), first.range));
  }
  const path = configPathOf(error);
  return path && (() => revealKey(vscode.Uri.file(configFile), loadConfig(configFile, readTextFromDisk), path));
}

import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';
import { loadConfig } from '../../config/loadConfig';
import type { Experiment } from '../../config/schema';
import { durationText } from '../../language/durationText';
import { modelCost } from '../../parity/closedForm/modelCost';
import { estimate } from '../../runs/throughput';
import { measureMachine as measure, type MachineMeasurement } from '../../worker/measureMachine';
import { CONFIG_SUFFIX, Setting } from '../contributions';
import { Dismissed, ExtensionError } from '../errors';
import { documentReader } from '../language/configDocuments';
import type { MachineSpeed } from '../language/machineSpeed';
import { runsFolderFor } from '../runs/runsFolders';
import { setting } from '../settings';
import { foldersOnDisk } from '../workspaceFolders';
import { pickConfig } from './pickConfig';
import { launchOptions, requireTraining, type Training } from './training';

/** Long enough for a mean that settles, short enough to wait for. */
const SECONDS = 10;

/** Trains a config for a few seconds in a process of its own and says how long it would take; lenses of all configs know from then on. */
export async function measureMachine(training: Training, speed: MachineSpeed, given: vscode.Uri | undefined): Promise<void> {
  await requireTraining('Measure This Machine');
  const document = await vscode.workspace.openTextDocument(await pickConfig(given, 'Measure this machine with which experiment?'));
  const file = document.uri.fsPath;
  const { experiment, findings } = loadConfig(file, documentReader(document));
  if (experiment === undefined) {
    const first = findings.find(({ severity }) => severity === 'error');
    throw new ExtensionError(`${basename(file)} has errors: ${first?.message ?? ''}`, 'Correct them first.');
  }
  const name = basename(file, CONFIG_SUFFIX);
  const runsDirectory = runsFolderFor(dirname(file), foldersOnDisk(), setting(Setting.runsDirectory));
  const measured = await measureWithProgress(training, {
    title: `Measuring ${name} on this machine`,
    experiment,
    runsDirectory,
    seconds: SECONDS,
  });
  speed.refresh();
  void vscode.window.showInformationMessage(resultText(name, experiment, measured));
}

interface Measuring {
  readonly title: string;
  readonly experiment: Experiment;
  readonly runsDirectory: string;
  readonly seconds: number;
}

/** Measures under a notification that can be cancelled; throws Dismissed upon that. */
export async function measureWithProgress(training: Training, { title, ...options }: Measuring): Promise<MachineMeasurement> {
  return vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title, cancellable: true },
    async (progress, token) => {
      const stop = new AbortController();
      const cancelled = token.onCancellationRequested(() => stop.abort(new Dismissed('The measurement was cancelled.')));
      try {
        return await measure({
          ...options,
          ...launchOptions(training),
          signal: stop.signal,
          onStep: ({ tokensPerSecond }) => progress.report({ message: `${grouped(tokensPerSecond)} tokens/s` }),
        });
      } finally {
        cancelled.dispose();
      }
    },
  );
}

function resultText(name: string, experiment: Experiment, { measurement }: MachineMeasurement): string {
  const time = estimate(experiment, modelCost(experiment.model), [measurement]);
  const whole = time === undefined ? '' : `: ${grouped(time.tokens)} tokens in about ${durationText(time.secondsToFinish)}`;
  return `${name} trains ${grouped(measurement.tokensPerSecond)} tokens/s on this machine (${measurement.device})${whole}.`;
}

function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

import { join } from 'node:path';
import * as vscode from 'vscode';
import type { LaunchedRun, LaunchOptions } from '../../worker/startWorker';
import { requestStop } from '../../worker/client';
import { Setting } from '../contributions';
import { Dismissed, ExtensionError } from '../errors';
import { notificationText } from '../notificationText';
import type { Dashboard } from '../panels/dashboardPanel';
import type { ReportError } from '../reportError';
import type { FailureNotices } from '../runs/failureNotices';
import type { RunSelection } from '../runs/runSelection';
import type { RunStore } from '../runs/runStore';
import { hasRuntime } from '../runtimePlatform';
import { setting } from '../settings';
import { requireTrust } from '../trust';
import { withLaunchProgress } from './launchProgress';

/** What the commands that start a worker need. */
export interface Training {
  readonly extensionUri: vscode.Uri;
  readonly store: RunStore;
  readonly selection: RunSelection;
  readonly dashboard: Dashboard;
  readonly notices: FailureNotices;
  readonly reportError: ReportError;
}

/** Throws unless a worker may and can be started here. `what` is the command's title. */
export async function requireTraining(what: string): Promise<void> {
  await requireTrust(what);
  if (hasRuntime(process.platform, process.arch)) return;
  throw new ExtensionError(
    `The training runtime (onnxruntime) has no build for ${process.platform}-${process.arch}.`,
    'Open the folder on Linux, on Windows or on a Mac with Apple silicon, for example through Remote - SSH.',
  );
}

export function launchOptions({ extensionUri }: Training): LaunchOptions {
  return {
    bundleFolder: join(extensionUri.fsPath, 'dist'),
    nodePath: setting(Setting.nodePath),
    onWarning: (message) => void vscode.window.showWarningMessage(notificationText(message)),
  };
}

/** Launches a worker, shows its run, and gives the run directory. `undo` ends what the user has cancelled before it was there. */
export async function launchAndShow(
  training: Training,
  title: string,
  launch: () => Promise<LaunchedRun>,
  undo: (run: string) => Promise<unknown> = requestStop,
): Promise<string> {
  const { store, selection, dashboard, notices } = training;
  const launching = notices.around(async () => (await launch()).run);
  const directory = await withLaunchProgress(title, launching, (run) => void undo(run).catch(training.reportError));
  if (directory === undefined) throw new Dismissed('The start was cancelled.');
  selection.set([directory], true);
  if (setting(Setting.openDashboardOnStart)) dashboard.open(directory);
  await store.refresh();
  return directory;
}

import * as vscode from 'vscode';
import { notificationText } from '../notificationText';

/** A start that takes longer gets a notification that can be cancelled; a toast for each quick one would be in the way. */
const PATIENCE_MILLISECONDS = 10_000;

/**
 * Shows that a launch is under way until it has settled. Resolves with undefined as soon as the user cancels; the launch itself
 * cannot be taken back, so `onCancelled` gets what it comes to.
 */
export async function withLaunchProgress<T>(title: string, launch: Promise<T>, onCancelled: (launched: T) => void): Promise<T | undefined> {
  let isCancelled = false;
  const settled = launch.then(
    () => undefined,
    () => undefined,
  );
  void vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title }, () => settled);
  const cancelled = new Promise<undefined>((resolve) => {
    const timer = setTimeout(() => {
      void vscode.window.withProgress(
        { location: vscode.ProgressLocation.Notification, title: notificationText(title), cancellable: true },
        (_, token) => {
          token.onCancellationRequested(() => {
            isCancelled = true;
            resolve(undefined);
          });
          return settled;
        },
      );
    }, PATIENCE_MILLISECONDS);
    void settled.then(() => clearTimeout(timer));
  });
  void launch.then(
    (launched) => {
      if (isCancelled) onCancelled(launched);
    },
    () => undefined,
  );
  return Promise.race([launch, cancelled]);
}

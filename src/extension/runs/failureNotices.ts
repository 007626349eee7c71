import * as vscode from 'vscode';
import type { ObservedState } from '../../runs/liveness';
import { Command } from '../contributions';
import { collectFailures, failureMessage } from './collectFailures';
import type { RunStore } from './runStore';

/**
 * Says once that a run has failed while this window was watching it. `isReported` is asked for runs about which the user has been told
 * otherwise, by the command that could not start them.
 */
export function noticeFailures(store: RunStore, isReported: (directory: string) => boolean): vscode.Disposable {
  let seen = new Map<string, ObservedState>();
  const look = (): void => {
    const failures = collectFailures(seen, store.runs);
    seen = new Map(store.runs.map(({ directory, state }) => [directory, state]));
    for (const run of failures) {
      if (isReported(run.directory)) continue;
      const actions = { 'Show Log': Command.showRunLog, 'Open Dashboard': Command.openDashboard };
      void vscode.window.showErrorMessage(failureMessage(run), ...Object.keys(actions)).then((chosen) => {
        const command = Object.entries(actions).find(([title]) => title === chosen)?.[1];
        if (command) void vscode.commands.executeCommand(command, { directory: run.directory });
      });
    }
  };
  look();
  return store.onDidChange(look);
}

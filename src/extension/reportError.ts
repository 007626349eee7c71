import * as vscode from 'vscode';
import { Dismissed, errorText, isUnforeseen } from './errors';
import { notificationText } from './notificationText';

/** Where the user can be taken from a message. */
export interface ErrorAction {
  readonly title: string;
  run(): unknown;
}

export type ReportError = (error: unknown, ...actions: ErrorAction[]) => void;

/** Errors reach the user once, as one message with what can be done; the log has the details. */
export function errorReporter(log: vscode.LogOutputChannel): ReportError {
  return (error, ...actions) => {
    if (error instanceof Dismissed) return;
    log.error(error instanceof Error ? error : String(error));
    const offered = isUnforeseen(error) ? [...actions, { title: 'Show Log', run: () => log.show() }] : actions;
    void vscode.window.showErrorMessage(notificationText(errorText(error)), ...offered.map(({ title }) => title)).then((chosen) => {
      offered.find(({ title }) => title === chosen)?.run();
    });
  };
}

import * as vscode from 'vscode';
import { Command, InternalCommand, Setting } from '../contributions';
import { setting } from '../settings';
import { collectLenses, lensRange, type LensAction } from './collectLenses';
import type { ConfigAnalyses } from './configAnalyses';
import { configSelector } from './configDocuments';
import { toRange } from './ranges';

const commands: Readonly<Record<LensAction, string>> = {
  showCount: InternalCommand.showCount,
  showProblems: 'workbench.actions.view.problems',
  startRun: Command.startRun,
  openDashboard: Command.openDashboard,
};

export function provideCodeLenses(analyses: ConfigAnalyses): vscode.Disposable {
  const changed = new vscode.EventEmitter<void>();
  const provider: vscode.CodeLensProvider = {
    onDidChangeCodeLenses: changed.event,
    provideCodeLenses(document) {
      if (!setting(Setting.codeLens, document)) return [];
      const { loaded, counted } = analyses.get(document);
      const range = toRange(lensRange(loaded));
      return collectLenses(loaded, counted).map(({ title, action, tooltip }) => {
        const takesConfig = action === 'showCount' || action === 'startRun';
        return new vscode.CodeLens(range, { title, tooltip, command: commands[action], arguments: takesConfig ? [document.uri] : [] });
      });
    },
  };
  return vscode.Disposable.from(
    changed,
    analyses.onDidOutdate(() => changed.fire()),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration(Setting.codeLens)) changed.fire();
    }),
    vscode.languages.registerCodeLensProvider(configSelector, provider),
  );
}

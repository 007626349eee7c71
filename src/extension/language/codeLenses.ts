import * as vscode from 'vscode';
import type { SourceRange } from '../../config/configFile';
import { familyTable } from '../../language/familyTable';
import { Command, InternalCommand, Setting } from '../contributions';
import { setting } from '../settings';
import { actionLenses, countLens, familyLens, lensRange, topOfText, type Lens, type LensAction } from './lensTexts';
import type { ConfigAnalyses } from './configAnalyses';
import { configSelector } from './configDocuments';
import { toRange } from './ranges';

const commands: Readonly<Record<LensAction, string>> = {
  showCount: InternalCommand.showCount,
  showProblems: 'workbench.actions.view.problems',
  startRun: Command.startRun,
  openDashboard: Command.openDashboard,
  createTwin: Command.createTwin,
};

export function provideCodeLenses(analyses: ConfigAnalyses): vscode.Disposable {
  const changed = new vscode.EventEmitter<void>();
  const provider: vscode.CodeLensProvider = {
    onDidChangeCodeLenses: changed.event,
    provideCodeLenses(document) {
      if (!setting(Setting.codeLens, document)) return [];
      const analysis = analyses.get(document);
      const { loaded } = analysis;
      const lensAt = (place: SourceRange, { title, action, tooltip }: Lens): vscode.CodeLens => {
        const takesConfig = action === 'showCount' || action === 'startRun' || action === 'createTwin';
        return new vscode.CodeLens(toRange(place), {
          title,
          tooltip,
          command: commands[action],
          arguments: takesConfig ? [document.uri] : [],
        });
      };
      const family = familyTable(analysis);
      return [
        ...actionLenses(loaded).map((lens) => lensAt(topOfText, lens)),
        lensAt(lensRange(loaded), countLens(loaded, analysis)),
        ...(family ? [lensAt(loaded.rangeOf(['sweep']) ?? topOfText, familyLens(family))] : []),
      ];
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

import * as vscode from 'vscode';
import type { SourceRange } from '../../config/configFile';
import { familyTable } from '../../language/familyTable';
import { inSlices } from '../../language/slices';
import { Command, InternalCommand, Setting } from '../contributions';
import { setting } from '../settings';
import {
  actionLenses,
  countLens,
  familyLens,
  lensRange,
  parityLens,
  parityRange,
  topOfText,
  type Lens,
  type LensAction,
} from './lensTexts';
import type { ConfigAnalyses } from './configAnalyses';
import { configSelector } from './configDocuments';
import type { MachineSpeed } from './machineSpeed';
import { toRange } from './ranges';

const commands: Readonly<Record<LensAction, string>> = {
  showCount: InternalCommand.showCount,
  showProblems: 'workbench.actions.view.problems',
  startRun: Command.startRun,
  openDashboard: Command.openDashboard,
  createTwin: Command.createTwin,
  chooseSizes: InternalCommand.chooseSizes,
  measureMachine: Command.measureMachine,
};

/** Actions that are about the config; the others are about everything. */
const ofConfig: readonly LensAction[] = ['showCount', 'startRun', 'createTwin', 'chooseSizes', 'measureMachine'];

export function provideCodeLenses(analyses: ConfigAnalyses, speed: MachineSpeed): vscode.Disposable {
  const changed = new vscode.EventEmitter<void>();
  const provider: vscode.CodeLensProvider = {
    onDidChangeCodeLenses: changed.event,
    async provideCodeLenses(document, token) {
      if (!setting(Setting.codeLens, document)) return [];
      const analysis = analyses.own(document);
      const { loaded, listed } = analysis;
      const lensAt = (place: SourceRange, { title, action, tooltip }: Lens): vscode.CodeLens => {
        return new vscode.CodeLens(toRange(place), {
          title,
          tooltip,
          command: commands[action],
          arguments: ofConfig.includes(action) ? [document.uri] : [],
        });
      };
      // Members are counted in slices: until that is done the editor shows what it has shown.
      const whole = listed === 0 ? undefined : await inSlices(analyses.steps(document.uri.fsPath), () => !token.isCancellationRequested);
      const family = whole && familyTable(whole);
      const estimate = speed.estimate(analysis);
      const parity = parityLens(analysis);
      return [
        ...actionLenses(loaded, estimate !== undefined).map((lens) => lensAt(topOfText, lens)),
        lensAt(lensRange(loaded), countLens(loaded, analysis, { needs: analysis.needs, estimate })),
        ...(parity ? [lensAt(parityRange(loaded), parity)] : []),
        ...(family ? [lensAt(loaded.rangeOf(['sweep']) ?? topOfText, familyLens(family))] : []),
      ];
    },
  };
  return vscode.Disposable.from(
    changed,
    analyses.onDidOutdate(() => changed.fire()),
    speed.onDidChange(() => changed.fire()),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration(Setting.codeLens)) changed.fire();
    }),
    vscode.languages.registerCodeLensProvider(configSelector, provider),
  );
}

import * as vscode from 'vscode';
import { inlayHints } from '../../language/inlayHints';
import { Setting } from '../contributions';
import { setting } from '../settings';
import type { ConfigAnalyses } from './configAnalyses';
import { configSelector } from './configDocuments';

export function provideInlayHints(analyses: ConfigAnalyses): vscode.Disposable {
  const changed = new vscode.EventEmitter<void>();
  const provider: vscode.InlayHintsProvider = {
    onDidChangeInlayHints: changed.event,
    provideInlayHints(document, range) {
      if (!setting(Setting.inlayHints, document)) return [];
      return inlayHints(analyses.own(document)).flatMap(({ position: { line, character }, text, tooltip }) => {
        const position = new vscode.Position(line, character);
        if (!range.contains(position)) return [];
        const hint = new vscode.InlayHint(position, text);
        hint.tooltip = new vscode.MarkdownString(tooltip);
        hint.paddingLeft = true;
        return [hint];
      });
    },
  };
  return vscode.Disposable.from(
    changed,
    analyses.onDidOutdate(() => changed.fire()),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration(Setting.inlayHints)) changed.fire();
    }),
    vscode.languages.registerInlayHintsProvider(configSelector, provider),
  );
}

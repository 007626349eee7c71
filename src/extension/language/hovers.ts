import * as vscode from 'vscode';
import { YAML_EXTENSION, type Beside } from '../../language/besideYaml';
import { hoverAt } from '../../language/hover';
import type { ConfigAnalyses } from './configAnalyses';
import { configSelector } from './configDocuments';
import { toRange } from './ranges';

export function provideHovers(analyses: ConfigAnalyses): vscode.Disposable {
  return vscode.languages.registerHoverProvider(configSelector, {
    provideHover(document, position) {
      const hover = hoverAt(analyses.get(document), position, beside());
      return hover && new vscode.Hover(new vscode.MarkdownString(hover.markdown), toRange(hover.range));
    },
  });
}

/** Asked each time: extensions come and go without a reload. */
export function beside(): Beside {
  return vscode.extensions.getExtension(YAML_EXTENSION) ? 'yaml' : 'alone';
}

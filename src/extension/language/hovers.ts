import * as vscode from 'vscode';
import type { ConfigAnalyses } from './configAnalyses';
import { configSelector } from './configDocuments';
import { keyAt, keyHover } from './keyAt';
import { toRange } from './ranges';

/** Red Hat's YAML extension shows the same descriptions, from the schema that package.json gives it. */
const YAML_EXTENSION = 'redhat.vscode-yaml';

export function provideHovers(analyses: ConfigAnalyses): vscode.Disposable {
  return vscode.languages.registerHoverProvider(configSelector, {
    provideHover(document, position) {
      if (vscode.extensions.getExtension(YAML_EXTENSION)) return undefined;
      const key = keyAt(analyses.get(document).loaded, position);
      return key && new vscode.Hover(new vscode.MarkdownString(keyHover(key.description)), toRange(key.range));
    },
  });
}

import { readdirSync } from 'node:fs';
import * as vscode from 'vscode';
import type { Completion, CompletionKind, CompletionSources, FolderEntry, PresetConfig } from '../../language/completion/completion';
import { completionsAt } from '../../language/completion/completionsAt';
import { isEmptyConfig } from '../../language/completion/presets';
import { configSelector } from './configDocuments';
import { beside } from './hovers';
import { toRange } from './ranges';

const kinds: Readonly<Record<CompletionKind, vscode.CompletionItemKind>> = {
  key: vscode.CompletionItemKind.Property,
  section: vscode.CompletionItemKind.Module,
  value: vscode.CompletionItemKind.EnumMember,
  preset: vscode.CompletionItemKind.Snippet,
  file: vscode.CompletionItemKind.File,
  folder: vscode.CompletionItemKind.Folder,
  rule: vscode.CompletionItemKind.Constant,
  comment: vscode.CompletionItemKind.Keyword,
};

/** Characters behind which something new can be typed that is no word: values, list entries, folders, dotted keys, comments. */
const triggers = [' ', ':', '/', '.', '[', '{', '"', '-', '#'];

export function provideCompletions(): vscode.Disposable {
  return vscode.languages.registerCompletionItemProvider(
    configSelector,
    {
      async provideCompletionItems(document, position) {
        const text = document.getText();
        // Only who begins a config loads them.
        const presets = isEmptyConfig(text) ? await presetConfigs() : [];
        const sources: CompletionSources = { listFolder, presets: () => presets };
        return completionsAt({ file: document.uri.fsPath, text, position, beside: beside() }, sources).map(toItem);
      },
    },
    ...triggers,
  );
}

async function presetConfigs(): Promise<readonly PresetConfig[]> {
  const [{ presets }, { presetText }] = await Promise.all([
    import('../../config/presets/catalogue'),
    import('../../config/presets/presetText'),
  ]);
  return presets.map((preset) => ({ preset, text: presetText(preset) }));
}

function toItem({ label, kind, range, detail, documentation, ...given }: Completion): vscode.CompletionItem {
  const item = new vscode.CompletionItem(detail === '' ? label : { label, description: short(detail) }, kinds[kind]);
  item.range = toRange(range);
  item.insertText = given.isSnippet ? new vscode.SnippetString(given.insertText) : given.insertText;
  item.filterText = given.filterText;
  item.sortText = given.sortText;
  item.detail = detail;
  item.documentation = new vscode.MarkdownString(documentation);
  if (given.asksOn) item.command = { command: 'editor.action.triggerSuggest', title: 'Suggest' };
  return item;
}

function short(detail: string): string {
  return detail.length > 40 ? `${detail.slice(0, 39)}…` : detail;
}

function listFolder(folder: string): readonly FolderEntry[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }));
  } catch {
    return [];
  }
}

import * as vscode from 'vscode';
import { ruleList } from '../../language/ruleList';

export function isRuleCode(value: unknown): value is string {
  return ruleList.some(({ code }) => code === value);
}

/**
 * Where the page of a rule lies, for the link behind a diagnostic's code: a file, since hovers open no commands. The manifest associates
 * these files with the preview of Markdown.
 */
export function rulePage(extensionUri: vscode.Uri, code: string): vscode.Uri {
  return vscode.Uri.joinPath(extensionUri, 'media', 'rules', `${code}.md`);
}

/** Shows the page of a rule, which comes with the extension, as rendered Markdown. */
export async function showRule(extensionUri: vscode.Uri, code: string | undefined): Promise<void> {
  // Whoever can put a link into a document can ask for any name: only those of rules are files.
  if (!isRuleCode(code)) return;
  const page = rulePage(extensionUri, code);
  try {
    await vscode.commands.executeCommand('markdown.showPreviewToSide', page);
  } catch {
    // The Markdown extension may be switched off.
    await vscode.window.showTextDocument(page, { viewColumn: vscode.ViewColumn.Beside, preview: true });
  }
}

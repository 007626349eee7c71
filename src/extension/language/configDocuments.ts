import * as vscode from 'vscode';
import type { ReadText } from '../../config/configFile';
import { readTextFromDisk } from '../../config/readTextFromDisk';
import { CONFIG_SCHEMES, CONFIG_SUFFIX } from '../contributions';

/** What language providers register for. */
export const configSelector: vscode.DocumentSelector = CONFIG_SCHEMES.map((scheme) => ({
  language: 'yaml',
  scheme,
  pattern: `**/*${CONFIG_SUFFIX}`,
}));

export function isConfigDocument(document: vscode.TextDocument): boolean {
  const { uri, languageId } = document;
  return languageId === 'yaml' && uri.path.endsWith(CONFIG_SUFFIX) && CONFIG_SCHEMES.some((scheme) => scheme === uri.scheme);
}

/** The open document that holds `file`, saved or not. */
export function openDocument(file: string): vscode.TextDocument | undefined {
  return vscode.workspace.textDocuments.find(
    (document) => !document.isClosed && document.uri.fsPath === file && CONFIG_SCHEMES.some((scheme) => scheme === document.uri.scheme),
  );
}

/** Whether a file is a draft, not saved yet, in which nothing stands: it has just been made, and nobody has written anything wrong. */
export function isBlankDraft(file: string): boolean {
  const open = openDocument(file);
  return open !== undefined && open.isUntitled && open.getText().trim() === '';
}

/** Reads open documents first, then the disk. */
export const readOpenOrDisk: ReadText = (file) => {
  const open = openDocument(file);
  return open ? open.getText() : readTextFromDisk(file);
};

/** The same, `document` itself before all, so that an untitled document is not mistaken for a file of the same name. */
export function documentReader(document: vscode.TextDocument): ReadText {
  return (file) => (file === document.uri.fsPath ? document.getText() : readOpenOrDisk(file));
}

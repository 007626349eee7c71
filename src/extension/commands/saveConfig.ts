import { readExtendsChain } from '../../config/extendsChain';
import * as vscode from 'vscode';
import { Dismissed, ExtensionError } from '../errors';
import { documentReader, openDocument } from '../language/configDocuments';

/**
 * Saves a config and what it extends, so that what is trained is what was typed, and gives its file. An untitled config is saved under
 * a name that the user picks.
 */
export async function saveConfig(uri: vscode.Uri): Promise<string> {
  const document = await vscode.workspace.openTextDocument(uri);
  const saved = document.isUntitled || document.isDirty ? await save(document) : uri;
  if (saved.scheme !== 'file') throw new ExtensionError(`${saved.toString()} is not on a disk.`, 'Save it in a folder first.');
  const current = await vscode.workspace.openTextDocument(saved);
  const { links } = readExtendsChain(saved.fsPath, current.getText(), documentReader(current));
  for (const { file } of links) {
    const base = openDocument(file);
    if (base?.isDirty) await save(base);
  }
  return saved.fsPath;
}

async function save(document: vscode.TextDocument): Promise<vscode.Uri> {
  if (document.isUntitled) {
    const saved = await vscode.workspace.save(document.uri);
    if (saved) return saved;
    throw new Dismissed('The config was not saved.');
  }
  // `save` also says false where auto-save was quicker: what counts is that nothing is left to save.
  if ((await document.save()) || !document.isDirty) return document.uri;
  throw new ExtensionError(`${document.uri.fsPath} could not be saved.`, 'Save it, then start the run again.');
}

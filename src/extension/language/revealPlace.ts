import * as vscode from 'vscode';
import type { LoadedConfig, SourceRange } from '../../config/configFile';
import { placeOf } from './placeOf';
import { toRange } from './ranges';

/** Shows a range of a file and selects it. */
export async function revealRange(file: vscode.Uri, range: SourceRange): Promise<void> {
  await vscode.window.showTextDocument(file, { selection: toRange(range) });
}

/** Shows the place in a config that a key path names. */
export async function revealKey(uri: vscode.Uri, loaded: Pick<LoadedConfig, 'rangeOf'>, path: readonly (string | number)[]): Promise<void> {
  const range = placeOf(loaded, path);
  await (range ? revealRange(uri, range) : vscode.window.showTextDocument(uri));
}
